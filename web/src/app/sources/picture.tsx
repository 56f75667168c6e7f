// Small pictures of the sources: fetched when they come into sight, again after half a minute at the earliest,
// or when a source comes up that had none to show.

import { signal } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import { withSession } from '../session';

const EVERY = 30_000;
/** When those in sight were last called to look whether they are old; one clock for all of them. */
const turn = signal(0);

/** Keeps the pictures fresh as long as the page that calls it is shown. */
export function useFreshPictures(): void {
  useEffect(() => {
    const clock = setInterval(() => {
      if (!document.hidden) turn.value = Date.now();
    }, EVERY / 6);
    return () => clearInterval(clock);
  }, []);
}

export function Picture({ token, online }: { token: string; online: boolean }) {
  const frame = useRef<HTMLDivElement>(null);
  const [seen, setSeen] = useState(false);
  useEffect(() => {
    const watch = new IntersectionObserver((entries) => setSeen(entries.some((entry) => entry.isIntersecting)));
    if (frame.current) watch.observe(frame.current);
    return () => watch.disconnect();
  }, []);
  const [address, setAddress] = useState('');
  const fetched = useRef(0);
  const now = turn.value;
  useEffect(() => {
    if (online) fetched.current = 0;
  }, [online]);
  useEffect(() => {
    if (!seen || Date.now() - fetched.current < EVERY) return;
    fetched.current = Date.now();
    setAddress(withSession('api/v1/GetImage', { token, width: '96', _: String(fetched.current) }));
  }, [seen, now, online]);
  return (
    <div ref={frame} class="thumb">
      {address && <img src={address} alt="" width="96" height="54" />}
    </div>
  );
}
