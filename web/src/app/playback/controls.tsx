// Buttons and keys of the playback.

import { useEffect, useState } from 'preact/hooks';
import { Button, Choice, Select } from '../kit';
import { locale, t } from '../text';
import { bitRate } from '../words';
import { SPEEDS } from './deck';
import type { Desk } from './desk';
import { player, type Way } from './stage';
import { clock, dayText } from './time';

/** What a key press on one of these means is its own affair. */
const OWN_KEYS = 'input, select, textarea, button, a, dialog, summary, [contenteditable]';
const FIGURES_EVERY = 1000;

interface ControlsProps {
  desk: Desk;
  /** What is shown in full screen. */
  full: () => HTMLElement | null;
}

export function Controls({ desk, full }: ControlsProps) {
  const { deck } = desk;
  const playing = deck.playing.value;
  const nothing = desk.records.value.length === 0;
  const alone = deck.stages.value.length === 1;
  useEffect(() => {
    const press = (event: KeyboardEvent) => onKey(event, desk, full);
    document.addEventListener('keydown', press);
    return () => document.removeEventListener('keydown', press);
  }, [desk]);
  return (
    <div class="controls">
      <div class="group">
        <Button icon="skip_back" label={t('playback.record_before')} disabled={nothing} onPress={() => desk.skip('record', -1)} />
        <Button label={t('playback.back_10')} disabled={nothing} onPress={() => desk.seek(-10)}>
          −10
        </Button>
        <Button icon="back" label={t('playback.frame_back')} disabled={nothing} onPress={() => deck.step(-1)} />
        <Button kind="main" class="play" icon={playing ? 'pause' : 'play'} label={t(playing ? 'playback.pause' : 'playback.play')} disabled={nothing} onPress={() => desk.toggle()} />
        <Button icon="next" label={t('playback.frame_on')} disabled={nothing} onPress={() => deck.step(1)} />
        <Button label={t('playback.on_10')} disabled={nothing} onPress={() => desk.seek(10)}>
          +10
        </Button>
        <Button icon="skip_on" label={t('playback.record_after')} disabled={nothing} onPress={() => desk.skip('record', 1)} />
      </div>
      <Now desk={desk} />
      <Select bare label={t('playback.speed')} value={deck.speed.value} options={SPEEDS.map((speed) => [speed, `${speedWords(speed)}×`])} onPick={(speed) => deck.setSpeed(speed)} />
      <EventButtons desk={desk} />
      <Figures desk={desk} />
      <div class="group tools">
        <Button pressed={!deck.skipping.value} label={t('playback.show_gaps')} onPress={() => deck.setSkipping(!deck.skipping.value)}>
          {t('playback.gaps')}
        </Button>
        {alone && deck.skipping.value && <Choice label={t('playback.way')} value={deck.way.value} options={WAYS} onPick={(way) => deck.setWay(way as Way)} />}
        <Button icon={deck.muted.value ? 'mute' : 'sound'} label={t('playback.sound')} pressed={!deck.muted.value} onPress={() => deck.setMuted(!deck.muted.value)} />
        <Button icon="camera" label={t('playback.save')} disabled={nothing} onPress={() => save(desk)} />
        <Button icon="full" label={t('playback.full')} onPress={() => fullScreen(full)} />
      </div>
    </div>
  );
}

const WAYS = [
  ['ws', 'WS'],
  ['rtc', 'RTC'],
  ['hls', 'HLS'],
] as const;

function speedWords(speed: string): string {
  return new Intl.NumberFormat(locale.value, { maximumFractionDigits: 1 }).format(Number(speed));
}

function Now({ desk }: { desk: Desk }) {
  const place = desk.deck.place.value;
  return (
    <output class="now" aria-label={t('playback.time_shown')} aria-live="off">
      {place === undefined ? '--:--:--' : clock(place)}
    </output>
  );
}

function EventButtons({ desk }: { desk: Desk }) {
  const none = desk.eventStarts().length === 0;
  return (
    <div class="group">
      <Button icon="back" label={t('playback.event_before')} disabled={none} onPress={() => desk.skip('event', -1)}>
        {t('playback.event')}
      </Button>
      <Button label={t('playback.event_after')} disabled={none} class="turned" icon="next" onPress={() => desk.skip('event', 1)}>
        {t('playback.event')}
      </Button>
    </div>
  );
}

/** Codec, size, rate of what plays. */
function Figures({ desk }: { desk: Desk }) {
  const [line, setLine] = useState('');
  useEffect(() => {
    const look = () => {
      const stats = desk.deck.stages.peek()[0]?.stats();
      if (!stats || !desk.deck.playing.peek()) return setLine('');
      const parts = [stats.transport.toUpperCase(), stats.codec, stats.width > 0 && `${stats.width}×${stats.height}`, stats.fps > 0 && `${Math.round(stats.fps)} fps`, stats.kbps > 0 && bitRate(stats.kbps)];
      setLine(parts.filter(Boolean).join(' · '));
    };
    const timer = setInterval(look, FIGURES_EVERY);
    return () => clearInterval(timer);
  }, [desk]);
  return <span class="figures">{line}</span>;
}

function save(desk: Desk): void {
  const place = desk.deck.place.value ?? Date.now();
  for (const { video, token } of desk.deck.stages.value) {
    if (video.videoWidth > 0) player.H5sSnapshot(video, `${token} ${dayText(desk.day.value)} ${clock(place).replaceAll(':', '-')}.jpg`);
  }
}

function fullScreen(full: () => HTMLElement | null): void {
  if (document.fullscreenElement) void document.exitFullscreen();
  else void full()?.requestFullscreen();
}

function faster(desk: Desk, steps: number): void {
  const speed = SPEEDS[SPEEDS.indexOf(desk.deck.speed.value) + steps];
  if (speed) desk.deck.setSpeed(speed);
}

function onKey(event: KeyboardEvent, desk: Desk, full: () => HTMLElement | null): void {
  if (event.ctrlKey || event.altKey || event.metaKey || document.querySelector('dialog[open]')) return;
  if (event.target instanceof Element && event.target.closest(OWN_KEYS)) return;
  const { deck } = desk;
  const far = event.shiftKey ? 60 : 10;
  const what = event.shiftKey ? 'event' : 'record';
  const acts: Record<string, () => void> = {
    ' ': () => desk.toggle(),
    k: () => desk.toggle(),
    ArrowLeft: () => desk.seek(-far),
    ArrowRight: () => desk.seek(far),
    ArrowUp: () => faster(desk, 1),
    ArrowDown: () => faster(desk, -1),
    PageUp: () => desk.skip(what, -1),
    PageDown: () => desk.skip(what, 1),
    ',': () => deck.step(-1),
    '.': () => deck.step(1),
    i: () => desk.mark('from'),
    o: () => desk.mark('to'),
    f: () => fullScreen(full),
    m: () => deck.setMuted(!deck.muted.value),
  };
  const act = acts[event.key];
  if (!act) return;
  event.preventDefault();
  act();
}
