// Trying a source before it is kept: its picture and what it is made of, or why not.

import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiError, call, type Params, words } from '../call';
import { Button, Note, Progress, type Values, valuesOf } from '../kit';
import { t } from '../text';
import { number } from '../words';
import { Lane } from './lane';
import { codecText, explained, reason, size } from './status';

/** TestSrc */
export interface Tested {
  strVideoType: string;
  nVideoWidth: number;
  nVideoHeight: number;
  nVideoFPS?: number;
  strAudioType?: string;
  nMillis: number;
  /** A `data:` address; '' where no picture could be made. */
  strImage: string;
}

/** The server connects to two at a time, and refuses more. */
const lane = new Lane(2);

export function test(params: Params, signal?: AbortSignal): Promise<Tested> {
  return lane.run(() => (signal?.aborted ? Promise.reject(new DOMException('', 'AbortError')) : call<Tested>('TestSrc', params, signal)));
}

/** Why a test failed, in the page's language. */
export function testFault(error: unknown): string {
  const text = words(error);
  const strOfflineReason = error instanceof ApiError ? error.more.strOfflineReason : undefined;
  return explained(reason({ strOfflineReason, strOfflineText: text }), text);
}

/** What came of a test; `undefined` while it goes on. */
export function Result({ tested, fault, name }: { tested: Tested | undefined; fault: string; name: string }) {
  if (fault) return <Note kind="bad">{fault}</Note>;
  if (!tested) return <Progress label={t('sources.testing')} />;
  const sound = tested.strAudioType && t('sources.with_sound', { codec: tested.strAudioType });
  const rate = tested.nVideoFPS && t('sources.fps', { n: number(tested.nVideoFPS, 0) });
  const took = t('sources.took', { n: number(tested.nMillis / 1000, 1) });
  return (
    <figure class="tested" role="status">
      {tested.strImage ? <img src={tested.strImage} alt={t('sources.picture_of', { name })} /> : <div class="none">{t('sources.no_picture')}</div>}
      <figcaption>{[codecText(tested.strVideoType), size(tested.nVideoWidth, tested.nVideoHeight), rate, sound, took].filter(Boolean).join(' · ')}</figcaption>
    </figure>
  );
}

/** Stands in a form, and tests what its fields say at the moment. */
export function TestBox({ params }: { params: (values: Values) => Params }) {
  const box = useRef<HTMLDivElement>(null);
  const [state, setState] = useState<{ tested?: Tested; fault: string }>();
  const running = useRef<AbortController>(undefined);
  useEffect(() => () => running.current?.abort(), []);
  const press = async () => {
    const form = box.current?.closest('form');
    if (!form) return;
    const abort = new AbortController();
    running.current = abort;
    setState({ fault: '' });
    try {
      setState({ tested: await test(params(valuesOf(form)), abort.signal), fault: '' });
    } catch (error) {
      setState(abort.signal.aborted ? undefined : { fault: testFault(error) });
    }
  };
  return (
    <div ref={box} class="test">
      <Button icon="view" onPress={press}>
        {t('sources.test')}
      </Button>
      {state && <Result tested={state.tested} fault={state.fault} name={t('sources.this_source')} />}
    </div>
  );
}
