// The day as a time line: a row for each camera with what is recorded and what happened, one play head over them all.

import { signal, type Signal } from '@preact/signals';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { Button, Icon } from '../kit';
import { t } from '../text';
import { clock as clockWords } from '../words';
import { type Desk, NOTHING } from './desk';
import { Gestures, type Hover } from './gestures';
import { Preview } from './preview';
import { Scale } from './scale';
import { coarse, stretches } from './spans';
import { bounds, clock, shortClock } from './time';

/** No bar is drawn narrower, as a share of the line. */
const THINNEST = 0.0015;
const HOVER_WIDTH = 240;

/** What is drawn now and then, beside the signals of the desk. */
class View {
  scale = new Scale(0, 1);
  readonly drawn = signal(0);
  readonly hover = signal<Hover | undefined>(undefined);
  readonly width = signal(1000);

  redraw(): void {
    this.drawn.value++;
  }
}

interface LineProps {
  desk: Desk;
  /** The moment that is scrubbed to. */
  scrubbed: Signal<number | undefined>;
}

export function Line({ desk, scrubbed }: LineProps) {
  const view = useMemo(() => new View(), []);
  const track = useRef<HTMLDivElement>(null);
  const day = desk.day.value;
  const found = desk.found.value;
  const tokens = desk.tokens.value;
  const { from, to } = bounds(day);

  useEffect(() => {
    view.scale = new Scale(from, to);
    view.redraw();
  }, [from]);
  // Once it is known what there is, little of it is magnified.
  useEffect(() => {
    const records = desk.records.peek();
    const [first] = records;
    if (desk.looking.value || !first || !view.scale.whole) return;
    view.scale.fit(first.start, Math.max(...records.map(({ end }) => end)));
    view.redraw();
  }, [desk.looking.value, from]);
  useEffect(() => {
    const element = track.current;
    if (!element) return;
    const gestures = new Gestures(element, {
      scale: () => view.scale,
      redraw: () => view.redraw(),
      pick: (moment) => desk.playFrom(moment),
      scrub: (moment) => (scrubbed.value = moment),
      mark: (span) => (desk.span.value = span),
      span: () => desk.span.value,
      hover: (hover) => (view.hover.value = hover),
    });
    const sized = new ResizeObserver(() => (view.width.value = element.clientWidth));
    sized.observe(element);
    const stop = desk.deck.place.subscribe((place) => {
      if (place !== undefined && !gestures.busy && view.scale.follow(place)) view.redraw();
    });
    return () => {
      sized.disconnect();
      stop();
    };
  }, []);

  void view.drawn.value;
  const { scale } = view;
  const zoom = (factor: number) => {
    const place = desk.deck.place.peek();
    const at = place === undefined ? 0.5 : scale.placeOf(place);
    scale.zoom(factor, at >= 0 && at <= 1 ? at : 0.5);
    view.redraw();
  };
  return (
    <>
      <div class="zoom">
        <Legend />
        <div class="group">
          <Button kind="quiet" icon="add" label={t('playback.zoom_in')} disabled={scale.closest} onPress={() => zoom(0.5)} />
          <Button kind="quiet" icon="less" label={t('playback.zoom_out')} disabled={scale.whole} onPress={() => zoom(2)} />
          <Button
            kind="quiet"
            disabled={scale.whole}
            onPress={() => {
              scale.showAll();
              view.redraw();
            }}
          >
            {t('playback.whole_day')}
          </Button>
        </div>
      </div>
      <div ref={track} class="track">
        <div class="marks" data-drag="scrub" aria-hidden="true">
          {scale.marks(view.width.value).map((moment) => (
            <span key={moment} style={{ left: percent(scale.placeOf(moment)) }}>
              {shortClock(moment)}
            </span>
          ))}
        </div>
        {tokens.map((token) => (
          <Row key={token} token={token} name={tokens.length > 1 ? desk.name(token) : ''} view={view} found={found.get(token) ?? NOTHING} from={from} to={to} drawn={view.drawn.value} />
        ))}
        <Band desk={desk} view={view} drawn={view.drawn.value} />
        <PlayHead desk={desk} view={view} scrubbed={scrubbed} drawn={view.drawn.value} />
        <HoverMark desk={desk} view={view} scrubbed={scrubbed} />
      </div>
      <p class="hint">{t('playback.hint')}</p>
    </>
  );
}

interface RowProps {
  token: string;
  name: string;
  view: View;
  found: typeof NOTHING;
  from: number;
  to: number;
  /** Of the view: the row is drawn again when it changes. */
  drawn: number;
}

function Row({ token, name, view: { scale }, found, from, to, drawn }: RowProps) {
  const { bars, events, pictures } = useMemo(() => {
    const least = (scale.shown.to - scale.shown.from) * THINNEST;
    const dots = found.snapshots.map(({ start }) => ({ start, end: start }));
    const kinds = (['motion', 'input'] as const).flatMap((kind) => coarse(found.happenings.filter((one) => one.kind === kind), least));
    return { bars: stretches(found.records, from, to), events: kinds, pictures: coarse(dots, least) };
  }, [found, from, drawn]);
  return (
    <div class="row" data-token={token}>
      {name && <span class="name">{name}</span>}
      <div class="bars">
        {bars.map(({ start, end, cause }) => (
          <Bar key={`${cause} ${start}`} scale={scale} start={start} end={end} class={cause} />
        ))}
      </div>
      <div class="events">
        {events.map(({ start, end, kind }) => (
          <Bar key={`${kind} ${start}`} scale={scale} start={start} end={end} class={kind} />
        ))}
        {pictures.map(({ start, end }) => (
          <Bar key={start} scale={scale} start={start} end={end} class="picture" />
        ))}
      </div>
    </div>
  );
}

function Bar({ scale, start, end, class: name }: { scale: Scale; start: number; end: number; class: string }) {
  const [left, right] = [scale.placeOf(start), scale.placeOf(end)];
  if (right < 0 || left > 1) return null;
  const width = Math.max(THINNEST, Math.min(1, right) - Math.max(0, left));
  return <i class={name} style={{ left: percent(Math.max(0, left)), width: percent(width) }} />;
}

interface OverProps {
  desk: Desk;
  view: View;
  scrubbed?: Signal<number | undefined>;
  drawn?: number;
}

function Band({ desk, view: { scale } }: OverProps) {
  const span = desk.span.value;
  if (!span) return null;
  const [from, to] = [Math.max(0, scale.placeOf(span.from)), Math.min(1, scale.placeOf(span.to))];
  if (to <= 0 || from >= 1) return null;
  return (
    <div class="band" style={{ left: percent(from), width: percent(Math.max(0, to - from)) }}>
      <b data-drag="from" />
      <b data-drag="to" />
    </div>
  );
}

function PlayHead({ desk, view: { scale }, scrubbed }: OverProps) {
  const place = scrubbed?.value ?? desk.deck.place.value;
  const share = place === undefined ? -1 : scale.placeOf(place);
  const { from, to } = bounds(desk.day.value);
  const at = place ?? from;
  return (
    <div
      class="head"
      data-drag="scrub"
      role="slider"
      tabIndex={0}
      aria-label={t('playback.play_head')}
      aria-valuemin={Math.round(from / 1000)}
      aria-valuemax={Math.round(to / 1000)}
      aria-valuenow={Math.round(at / 1000)}
      aria-valuetext={clockWords(at)}
      style={share < 0 || share > 1 ? { opacity: 0, left: 0 } : { left: percent(share) }}
    />
  );
}

function HoverMark({ desk, view, scrubbed }: OverProps) {
  const hover = view.hover.value;
  if (!hover) return null;
  const { share, moment } = hover;
  const token = hover.token || (desk.tokens.value[0] ?? '');
  const step = Math.max(1000, (view.scale.shown.to - view.scale.shown.from) / 400);
  const at = Math.floor(moment / step) * step;
  const recorded = (desk.found.value.get(token)?.records ?? []).some((record) => record.available && at >= record.start && at < record.end);
  const side = share > 0.85 ? 'left' : share < 0.15 ? 'right' : 'middle';
  return (
    <div class="hover" data-side={side} style={{ left: percent(share) }} aria-hidden="true">
      <div>
        {recorded && scrubbed?.value === undefined && <Preview key={token} token={token} moment={at} width={HOVER_WIDTH} />}
        <span>{clock(moment)}</span>
      </div>
    </div>
  );
}

function Legend() {
  return (
    <ul class="legend" aria-label={t('playback.legend')}>
      {(['schedule', 'manual', 'alarm', 'motion', 'input', 'picture'] as const).map((kind) => (
        <li key={kind}>
          <i class={kind} />
          {t(`playback.kind_${kind}`)}
        </li>
      ))}
      <li class="keys" title={t('playback.keys')}>
        <Icon name="help" />
        <span class="sr">{t('playback.keys')}</span>
      </li>
    </ul>
  );
}

const percent = (share: number) => `${share * 100}%`;
