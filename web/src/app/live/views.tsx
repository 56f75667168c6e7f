// Saved views and tours: the panel that lists them, the dialogs that make them, and the strip of the tour under way.

import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { ask, Button, Dialog, Field, Form, Icon, Note, Popover, tell, useLoaded, type Values } from '../kit';
import { t } from '../text';
import { checked, LONGEST_TURN, SHORTEST_TURN, toView, type View } from './layout';
import { eachSecond } from './ticker';
import * as tours from './tour';
import * as wall from './wall';

const NAME_LENGTH = 64;

export function Views() {
  const dialog = useSignal<'view' | 'tour' | View | undefined>(undefined);
  const { fault } = useLoaded(async (signal) => {
    await tours.loadViews(signal);
    tours.resume();
    return true;
  });
  useEffect(() => {
    const stops = [eachSecond(tours.second), tours.watchChanges(), tours.forget];
    return () => stops.forEach((stop) => stop());
  }, []);
  const close = () => (dialog.value = undefined);
  const edit = (what: typeof dialog.value, shut: () => void) => {
    shut();
    dialog.value = what;
  };
  return (
    <>
      <Popover icon="bookmark" title={t('live.views')}>
        {(shut) => (
          <>
            {fault && <Note kind="bad">{fault}</Note>}
            {tours.views.value.length === 0 && !fault && <p class="nothing">{t('live.no_views')}</p>}
            <ul class="views">
              {tours.views.value.map((view) => (
                <Row key={view.strName} view={view} onShown={shut} onEdit={() => edit(view, shut)} />
              ))}
            </ul>
            <Button icon="add" kind="quiet" onPress={() => edit('view', shut)}>
              {t('live.view_save')}
            </Button>
            {tours.plainViews.value.length > 1 && (
              <Button icon="play" kind="quiet" onPress={() => edit('tour', shut)}>
                {t('live.tour_new')}
              </Button>
            )}
          </>
        )}
      </Popover>
      {dialog.value === 'view' && <ViewDialog onClose={close} />}
      {dialog.value && dialog.value !== 'view' && <TourDialog tour={dialog.value === 'tour' ? undefined : dialog.value} onClose={close} />}
    </>
  );
}

function Row({ view, onShown, onEdit }: { view: View; onShown: () => void; onEdit: () => void }) {
  const { strName: name, layout } = view;
  const saved = layout.tour ? undefined : checked(layout);
  const current = saved && JSON.stringify(toView(saved)) === JSON.stringify(toView(wall.layout.value));
  const show = () => {
    tours.showView(view);
    onShown();
  };
  const replace = async () => {
    await tours.saveView(name);
    tell(t('live.view_saved', { name }));
  };
  const remove = () => tours.deleteView(name);
  return (
    <li>
      <button type="button" class="quiet" aria-current={current ? 'true' : undefined} onClick={show}>
        <Icon name={layout.tour ? 'play' : 'grid'} />
        <span>{name}</span>
        {layout.tour && <span class="sr">{t('live.tour')}</span>}
      </button>
      {layout.tour ? (
        <Button kind="quiet" icon="edit" label={t('live.tour_edit', { name })} onPress={onEdit} />
      ) : (
        <Button kind="quiet" icon="down" label={t('live.view_replace', { name })} onPress={() => ask({ title: t('live.view_replace', { name }), text: t('live.view_replace_text'), yes: t('live.replace'), danger: false, act: replace })} />
      )}
      <Button kind="quiet" icon="delete" label={t('live.view_delete', { name })} onPress={() => ask({ title: t('live.view_delete', { name }), text: t('live.view_delete_text'), yes: t('live.delete'), act: remove })} />
    </li>
  );
}

function ViewDialog({ onClose }: { onClose: () => void }) {
  const save = async ({ name = '' }: Values) => {
    if (tours.viewNamed(name)) throw new Error(t('live.view_exists'));
    await tours.saveView(name);
    tell(t('live.view_saved', { name }));
    onClose();
  };
  return (
    <Dialog title={t('live.view_save')} onClose={onClose}>
      <Form onSend={save} send={t('live.save')} onCancel={onClose}>
        <Field label={t('live.name')} name="name" required maxLength={NAME_LENGTH} autoComplete="off" hint={t('live.view_hint')} />
      </Form>
    </Dialog>
  );
}

function TourDialog({ tour, onClose }: { tour: View | undefined; onClose: () => void }) {
  const picked = useSignal<readonly string[]>(tour?.layout.tour?.views ?? []);
  const names = tours.plainViews.value.map(({ strName }) => strName);
  const chosen = picked.value.filter((name) => names.includes(name));
  const pick = (name: string) => (picked.value = chosen.includes(name) ? chosen.filter((other) => other !== name) : [...chosen, name]);
  const save = async ({ name = '', seconds = '' }: Values) => {
    if (chosen.length === 0) throw new Error(t('live.tour_none'));
    if (name !== tour?.strName && tours.viewNamed(name)) throw new Error(t('live.view_exists'));
    await tours.saveView(name, { tour: { seconds: Number(seconds), views: [...chosen] } });
    const saved = tours.viewNamed(name);
    if (saved) tours.showView(saved);
    onClose();
  };
  return (
    <Dialog title={tour ? tour.strName : t('live.tour_new')} onClose={onClose}>
      <Form onSend={save} send={t('live.tour_start')} onCancel={onClose}>
        <Field label={t('live.name')} name="name" required maxLength={NAME_LENGTH} autoComplete="off" defaultValue={tour?.strName} readOnly={tour !== undefined} />
        <Field label={t('live.tour_seconds')} name="seconds" type="number" required min={SHORTEST_TURN} max={LONGEST_TURN} defaultValue={String(tour?.layout.tour?.seconds ?? 15)} />
        <fieldset class="turns">
          <legend>{t('live.tour_views')}</legend>
          {names.map((name) => (
            <Button key={name} pressed={chosen.includes(name)} onPress={() => pick(name)}>
              {chosen.includes(name) ? `${chosen.indexOf(name) + 1}. ${name}` : name}
            </Button>
          ))}
        </fieldset>
      </Form>
    </Dialog>
  );
}

/** Which view of the tour is shown, and what can be done with it. */
export function TourStrip() {
  const now = tours.tour.value;
  if (!now) return null;
  return (
    <div class="tour" role="group" aria-label={t('live.tour')}>
      <Button kind="quiet" icon="back" label={t('live.tour_back')} onPress={() => tours.turn(-1)} />
      <Button kind="quiet" icon={now.paused ? 'play' : 'pause'} label={now.paused ? t('live.tour_resume') : t('live.tour_pause')} onPress={() => tours.pause()} />
      <Button kind="quiet" icon="next" label={t('live.tour_next')} onPress={() => tours.turn(1)} />
      <span>
        <b>{now.views[now.at]}</b> {now.paused ? t('live.tour_paused') : t('live.tour_left', { at: now.at + 1, of: now.views.length, s: now.left })}
      </span>
      <Button kind="quiet" icon="close" label={t('live.tour_end')} onPress={tours.endTour} />
    </div>
  );
}
