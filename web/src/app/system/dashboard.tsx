// How the box is: what needs somebody first, then figures of the last hour, and what happened.

import './dashboard.css';
import { useRef } from 'preact/hooks';
import { call } from '../call';
import { Chart, Facts, Head, Section, useLoaded } from '../kit';
import { about, run, sources, standing, type RunInfo } from '../state';
import { t } from '../text';
import { bitRate, bytes, number } from '../words';
import { FirstSteps, RecentNews } from './happened';
import { History, hottest, MOST, runTime, type RunHistory } from './history';
import { SpaceBar } from './space';
import { Warnings } from './warnings';

export default function Dashboard() {
  return (
    <>
      <Head title={t('system.dashboard')} />
      <Warnings />
      <FirstSteps />
      <Figures />
      <div class="sections">
        <Now />
        <RecentNews />
      </div>
    </>
  );
}

/** Charts over the last hour. */
function Figures() {
  const history = useRef<History>(undefined);
  const loaded = useLoaded(async (signal) => {
    // Where it cannot be had, the charts begin now.
    const old = await call<RunHistory>('GetRunHistory', {}, signal).catch((): RunHistory => ({ nStep: 10, run: [] }));
    history.current = new History(old.nStep, old.run, performance.now());
    return true;
  });
  const now = run.value;
  if (!loaded.value || !now) return null;
  history.current?.add(now, performance.now());
  const figures = history.current?.figures ?? [];
  const celsius = hottest(now);
  return (
    <section class="card section charts" aria-label={t('system.last_hour')}>
      <Chart span={MOST} title={t('system.cpu')} values={figures.map((at) => at.nCPUUsage)} now={`${now.nCPUUsage} %`} top={100} />
      <Chart span={MOST} title={t('system.memory')} values={figures.map((at) => at.nMemoryUsage)} now={memory(now)} top={100} />
      <Chart span={MOST} title={t('system.network_in')} values={figures.map((at) => at.nNetworkInK)} now={bitRate(now.nNetworkInK)} top={1000} />
      <Chart span={MOST} title={t('system.network_out')} values={figures.map((at) => at.nNetworkOutK)} now={bitRate(now.nNetworkOutK)} top={1000} />
      {celsius !== null && <Chart span={MOST} title={t('system.temperature')} values={figures.map((at) => at.nCelsius)} now={`${number(celsius, 0)} °C`} top={90} />}
      <p class="over">{t('system.last_hour')}</p>
    </section>
  );
}

function memory(now: RunInfo): string {
  return t('system.memory_of', { percent: now.nMemoryUsage, total: bytes(now.nTotalMemoryByte) });
}

function Now() {
  const now = run.value;
  if (!now) return null;
  const all = sources.value;
  const well = all.filter((source) => standing(source) === 'online').length;
  const { days, hours, minutes } = runTime(now.strRunTime);
  const hasOwnDisk = now.nRecordTotalSpaceByte > 0 && now.nRecordTotalSpaceByte !== now.nTotalSpaceByte;
  return (
    <Section title={t('system.now')}>
      <Facts
        facts={[
          [t('system.cameras'), t('system.cameras_of', { online: well, all: all.length })],
          [t('system.recordings_running'), all.filter((source) => source.bRec).length],
          [t('system.run_time'), t('system.run_time_of', { days, hours, minutes })],
          [t('system.version'), about.value.version],
        ]}
      />
      {hasOwnDisk && <SpaceBar title={t('system.space_footage')} total={now.nRecordTotalSpaceByte} free={now.nRecordFreeSpaceByte} />}
      <SpaceBar title={t(hasOwnDisk ? 'system.space_system' : 'system.space')} total={now.nTotalSpaceByte} free={now.nFreeSpaceByte} />
    </Section>
  );
}
