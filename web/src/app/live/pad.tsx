// The pad that steers an ONVIF camera: directions, zoom, focus, speed and presets. A button moves as long as it is held;
// so do the arrow keys, + and -, while the pad is open.

import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { call } from '../call';
import { ask, Button, Field, Form, Load, tell, tellFailure, useLoaded, type Values } from '../kit';
import { isOperator, sourceMap } from '../state';
import { t, type Key } from '../text';
import { placeOf } from './layout';
import { actionOf, Steering, STEERING_KEYS, type Action } from './steer';
import { canSteer } from './tools';
import * as wall from './wall';

interface Preset {
  strName: string;
  strToken: string;
}

/** How long a press moves that has no end, as a screen reader's. */
const NUDGE = 400;

const WAYS: readonly (readonly [Action, string])[] = [
  ['upleft', '↖'],
  ['up', '↑'],
  ['upright', '↗'],
  ['left', '←'],
  ['right', '→'],
  ['downleft', '↙'],
  ['down', '↓'],
  ['downright', '↘'],
];
const PAIRS: readonly (readonly [label: Key, Action, Action])[] = [
  ['live.zoom', 'zoomout', 'zoomin'],
  ['live.focus', 'focusnear', 'focusfar'],
];

/** Open for the camera that is steered, as long as it may be; on the side where it hides less. */
export function Pad({ list }: { list: boolean }) {
  const token = wall.steered.value;
  const { cols } = wall.shownGrid.value;
  const onRight = placeOf(wall.layout.value, token) % cols >= cols / 2;
  return canSteer(sourceMap.value.get(token)) ? <Open key={token} token={token} left={list || onRight} /> : null;
}

function Open({ token, left }: { token: string; left: boolean }) {
  const here = useRef<HTMLElement>(null);
  const speed = useRef(0.5);
  const steering = useMemo(() => new Steering((action) => call('Ptz', { token, action, speed: speed.current }), tellFailure), []);
  const name = wall.nameOfToken(token);
  useEffect(() => {
    here.current?.focus();
    const end = withKeys(steering);
    return () => {
      end();
      steering.stop();
      document.querySelector<HTMLElement>(`.tile[data-token="${token}"]`)?.focus();
    };
  }, []);
  return (
    <aside class={left ? 'card pad left' : 'card pad'} ref={here} tabIndex={-1} aria-label={t('live.steer_name', { name })}>
      <header>
        <h2>{name}</h2>
        <Button kind="quiet" icon="close" label={t('shell.close')} onPress={() => (wall.steered.value = '')} />
      </header>
      <div class="rose">
        {WAYS.map(([action, arrow]) => (
          <Hold key={action} action={action} steering={steering}>
            {arrow}
          </Hold>
        ))}
      </div>
      {PAIRS.map(([label, less, more]) => (
        <div key={label} class="hold-pair">
          <span>{t(label)}</span>
          <Hold action={less} steering={steering}>
            −
          </Hold>
          <Hold action={more} steering={steering}>
            +
          </Hold>
        </div>
      ))}
      <label class="speed">
        <span>{t('live.speed')}</span>
        <input type="range" min="0.1" max="1" step="0.1" defaultValue={String(speed.current)} onInput={(event) => (speed.current = Number(event.currentTarget.value))} />
      </label>
      <Presets token={token} />
    </aside>
  );
}

function Hold({ action, steering, children }: { action: Action; steering: Steering; children: string }) {
  const held = useRef(false);
  const start = () => {
    held.current = true;
    steering.start(action);
  };
  const stop = () => {
    if (held.current) steering.stop();
    held.current = false;
  };
  const isPress = (key: string) => key === 'Enter' || key === ' ';
  return (
    <button
      type="button"
      class={`hold ${action}`}
      aria-label={t(`live.ptz_${action}`)}
      title={t(`live.ptz_${action}`)}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        start();
      }}
      onPointerUp={stop}
      onPointerCancel={stop}
      onLostPointerCapture={stop}
      onContextMenu={(event) => event.preventDefault()}
      onKeyDown={(event) => {
        if (!isPress(event.key)) return;
        event.preventDefault();
        if (!event.repeat) start();
      }}
      onKeyUp={(event) => isPress(event.key) && stop()}
      onBlur={stop}
      onClick={(event) => {
        // Neither pointer nor key: a screen reader or a voice.
        if (event.detail !== 0 || held.current) return;
        start();
        setTimeout(stop, NUDGE);
      }}
    >
      <span aria-hidden="true">{children}</span>
    </button>
  );
}

/** The keys, until the returned function is called. */
function withKeys(steering: Steering): () => void {
  const held = new Set<string>();
  const now = () => {
    const action = actionOf(held);
    if (action) steering.start(action);
    else steering.stop();
  };
  const elsewhere = ({ target }: KeyboardEvent) => (target instanceof Element && target.closest('input, select, textarea, dialog') !== null) || document.querySelector('dialog[open]') !== null;
  const down = (event: KeyboardEvent) => {
    if (!STEERING_KEYS.has(event.key) || event.ctrlKey || event.altKey || event.metaKey || elsewhere(event)) return;
    event.preventDefault();
    event.stopPropagation();
    if (held.has(event.key)) return;
    held.add(event.key);
    now();
  };
  const up = (event: KeyboardEvent) => {
    if (held.delete(event.key)) now();
  };
  const away = () => {
    if (held.size === 0) return;
    held.clear();
    now();
  };
  document.addEventListener('keydown', down, true);
  document.addEventListener('keyup', up, true);
  window.addEventListener('blur', away);
  return () => {
    document.removeEventListener('keydown', down, true);
    document.removeEventListener('keyup', up, true);
    window.removeEventListener('blur', away);
  };
}

function Presets({ token }: { token: string }) {
  const loaded = useLoaded(async (signal) => (await call<{ preset: Preset[] }>('GetPresets', { token }, signal)).preset);
  const [typed, setTyped] = useState('');
  const save = async ({ name = '' }: Values) => {
    const used = new Set(loaded.value?.map(({ strToken }) => strToken));
    const same = loaded.value?.find(({ strName }) => strName === name);
    let free = 1;
    while (used.has(String(free))) free++;
    await call('SetPreset', { token, presetname: name, presettoken: same?.strToken ?? free });
    tell(t('live.preset_kept', { name }));
    setTyped('');
    await loaded.reload();
  };
  const remove = async ({ strToken }: Preset) => {
    await call('DelPreset', { token, presettoken: strToken });
    await loaded.reload();
  };
  return (
    <section class="presets" aria-label={t('live.presets')}>
      <h3>{t('live.presets')}</h3>
      <Load of={loaded}>
        {(presets) => (
          <ul>
            {presets.map((preset) => (
              <li key={preset.strToken}>
                <Button onPress={() => call('Ptz', { token, action: 'preset', preset: preset.strToken })}>{preset.strName}</Button>
                {isOperator.value && (
                  <Button
                    kind="quiet"
                    icon="delete"
                    label={t('live.preset_delete', { name: preset.strName })}
                    onPress={() => ask({ title: t('live.preset_delete', { name: preset.strName }), text: t('live.preset_delete_text'), yes: t('live.delete'), act: () => remove(preset) })}
                  />
                )}
              </li>
            ))}
          </ul>
        )}
      </Load>
      {loaded.value && (
        <Form onSend={save} send={t('live.save')} class="preset-new">
          <Field label={t('live.preset_new')} name="name" required maxLength={64} autoComplete="off" value={typed} onInput={(event) => setTyped(event.currentTarget.value)} />
        </Form>
      )}
    </section>
  );
}
