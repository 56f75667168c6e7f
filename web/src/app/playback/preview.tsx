// A still picture of a recorded moment, for scrubbing: one request at a time, the newest wish wins.

import { useEffect, useRef, useState } from 'preact/hooks';
import { withSession } from '../session';
import { t } from '../text';
import { iso } from './time';

/** Pictures are not asked for more often, in milliseconds. */
const EVERY = 120;

interface PreviewProps {
  token: string;
  moment: number;
  /** Of the picture, in pixels. */
  width: number;
  class?: string;
}

export function Preview({ token, moment, width, class: name = '' }: PreviewProps) {
  const wanted = withSession('api/v1/GetRecordImage', { token, time: iso(moment), width: String(width) });
  const [address, setAddress] = useState(wanted);
  const [missing, setMissing] = useState(false);
  const loading = useRef(true);
  const newest = useRef(wanted);
  const askedAt = useRef(performance.now());
  newest.current = wanted;

  const ask = () => {
    if (loading.current || newest.current === askedFor.current) return;
    loading.current = true;
    askedAt.current = performance.now();
    askedFor.current = newest.current;
    setAddress(newest.current);
  };
  const askedFor = useRef(address);
  const done = (failed: boolean) => {
    setMissing(failed);
    setTimeout(() => {
      loading.current = false;
      ask();
    }, Math.max(0, EVERY - (performance.now() - askedAt.current)));
  };
  useEffect(ask, [wanted]);

  return (
    <span class={`preview ${name}`.trim()}>
      <img src={address} alt="" hidden={missing} onLoad={() => done(false)} onError={() => done(true)} />
      {missing && <em>{t('playback.no_preview')}</em>}
    </span>
  );
}
