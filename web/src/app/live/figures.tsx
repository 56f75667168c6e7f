// The figures of a tile's stream, over its picture: codec, size, rates, delay, and how it comes.

import { useComputed, useSignalEffect } from '@preact/signals';
import { t } from '../text';
import { bitRate, number } from '../words';
import type { Feed } from './feed';
import { measured } from './wall';

export function Figures({ feed, token }: { feed: Feed; token: string }) {
  const on = useComputed(() => measured.value.has(token));
  useSignalEffect(() => {
    feed.measured = on.value;
  });
  return on.value ? <Shown feed={feed} /> : null;
}

function Shown({ feed }: { feed: Feed }) {
  const stats = feed.figures.value;
  if (!stats || stats.width === 0) return <p class="figures">{t('live.no_figures')}</p>;
  const facts: [string, string][] = [
    [t('live.codec'), stats.codec],
    [t('live.size'), `${stats.width} × ${stats.height}`],
    [t('live.rate'), t('live.fps', { n: number(stats.fps, 0) })],
    [t('live.bit_rate'), bitRate(stats.kbps)],
    [t('live.delay'), t('live.seconds', { n: number(stats.delayMs / 1000, 2) })],
    [t('live.way'), t(`live.way_${stats.transport}`)],
    [t('live.picture'), t(`live.profile_${feed.profile}`)],
  ];
  return (
    <dl class="figures">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
