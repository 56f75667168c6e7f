// What happened of late, and the first steps of somebody who has no camera yet.

import { Badge, Section } from '../kit';
import { href } from '../route';
import { isAdministrator, news, sourceMap, sources } from '../state';
import { t } from '../text';
import { clock, moment } from '../words';

const SHOWN = 12;
const DAY = 86_400_000;
const KINDS = { online: 'good', offline: 'bad', motion: 'plain', input: 'plain', record: 'plain', storage: 'warn', update: 'plain' } as const;

export function RecentNews() {
  const list = news.value.slice(0, SHOWN);
  return (
    <Section title={t('system.news')}>
      {list.length === 0 && <p class="soft">{t('system.no_news')}</p>}
      <ol class="news">
        {list.map((item, index) => (
          <li key={`${item.strTime} ${item.strToken} ${item.strType} ${index}`}>
            <time dateTime={item.strTime} title={moment(item.strTime)}>
              {Date.now() - Date.parse(item.strTime) < DAY ? clock(item.strTime) : moment(item.strTime)}
            </time>
            {isKnown(item.strType) ? <Badge kind={KINDS[item.strType]}>{t(`system.news_${item.strType}`)}</Badge> : <Badge>{item.strType}</Badge>}
            <span>
              {sourceMap.value.has(item.strToken) ? <a href={href('live', { grid: '1x1', tiles: item.strToken })}>{item.strName || item.strToken}</a> : item.strName}{' '}
              <small>{item.strText}</small>
            </span>
          </li>
        ))}
      </ol>
    </Section>
  );
}

function isKnown(type: string): type is keyof typeof KINDS {
  return Object.hasOwn(KINDS, type);
}

export function FirstSteps() {
  if (sources.value.length > 0 || !isAdministrator.value) return null;
  return (
    <Section title={t('system.first_steps')} class="first-steps">
      <ol>
        <li>
          <a class="button main" href={href('sources')}>
            {t('system.first_camera')}
          </a>{' '}
          <span class="soft">{t('system.first_camera_why')}</span>
        </li>
        <li>
          <a href={href('system/recording')}>{t('system.first_keep')}</a>
        </li>
        <li>
          <a href={href('system/users')}>{t('system.first_users')}</a>
        </li>
      </ol>
    </Section>
  );
}
