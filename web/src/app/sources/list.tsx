// The table of sources.

import { Button, Check, Icon, Table, type Column } from '../kit';
import { href } from '../route';
import { nameOf, standing, type Source } from '../state';
import { t } from '../text';
import { Picture } from './picture';
import { codecText, Recording, size, Status } from './status';

interface ListProps {
  shown: readonly Source[];
  picked: ReadonlySet<string>;
  onPick: (tokens: readonly string[], on: boolean) => void;
  onEdit: (source: Source) => void;
  onRecord: (source: Source) => void;
  onDelete: (source: Source) => void;
  empty: string;
}

export function List({ shown, picked, onPick, onEdit, onRecord, onDelete, empty }: ListProps) {
  const all = shown.map((source) => source.strToken);
  const columns: Column<Source>[] = [
    {
      title: t('sources.select'),
      head: <Check label={<span class="sr">{t('sources.select_all')}</span>} checked={all.every((token) => picked.has(token))} onSwitch={(on) => onPick(all, on)} />,
      cell: ({ strToken, ...source }) => (
        <Check label={<span class="sr">{t('sources.select_one', { name: source.strName || strToken })}</span>} checked={picked.has(strToken)} onSwitch={(on) => onPick([strToken], on)} />
      ),
    },
    { title: t('sources.picture'), cell: (source) => <Picture token={source.strToken} online={source.bOnline} /> },
    {
      title: t('sources.name'),
      by: nameOf,
      cell: (source) => (
        <div class="two">
          <b>{nameOf(source)}</b>
          <small>{source.strToken}</small>
        </div>
      ),
    },
    {
      title: t('sources.address'),
      by: addressOf,
      cell: (source) => (
        <div class="two">
          <span>{addressOf(source)}</span>
          <small>{t(`sources.kind_${source.nType}`)}</small>
        </div>
      ),
    },
    { title: t('sources.status'), by: (source) => `${standing(source)} ${source.strOfflineReason ?? ''}`, cell: (source) => <Status source={source} /> },
    {
      title: t('sources.video'),
      by: (source) => (source.nVideoWidth ?? 0) * (source.nVideoHeight ?? 0),
      cell: (source) => (
        <div class="two">
          <span class="size">{size(source.nVideoWidth, source.nVideoHeight) || '–'}</span>
          <small>{codecText(source.strVideoType ?? '')}</small>
        </div>
      ),
    },
    { title: t('sources.recording'), by: (source) => source.strRecState, cell: (source) => <Recording source={source} /> },
    { title: t('sources.viewers'), by: (source) => source.nViewers, cell: (source) => source.nViewers },
    {
      title: t('sources.actions'),
      head: <span class="sr">{t('sources.actions')}</span>,
      cell: (source) => {
        const name = nameOf(source);
        const look = t('sources.go_live', { name });
        const back = t('sources.go_playback', { name });
        return (
          <div class="do">
            <a class="quiet only-icon" href={href('live', { grid: '1x1', tiles: source.strToken })} aria-label={look} title={look}>
              <Icon name="play" />
            </a>
            <a class="quiet only-icon" href={href('playback', { token: source.strToken })} aria-label={back} title={back}>
              <Icon name="clock" />
            </a>
            <Button kind="quiet" icon="record" label={t('sources.record_one', { name })} onPress={() => onRecord(source)} />
            <Button kind="quiet" icon="edit" label={t('sources.edit_one', { name })} onPress={() => onEdit(source)} />
            <Button kind="quiet" icon="delete" class="danger" label={t('sources.delete_one', { name })} onPress={() => onDelete(source)} />
          </div>
        );
      },
    },
  ];
  return <Table label={t('shell.sources')} rows={shown} id={(source) => source.strToken} columns={columns} empty={empty} />;
}

/** What people know it by: the camera's address, or the file. */
export function addressOf(source: Source): string {
  if (source.nType !== 'H5_ONVIF') return source.strUrl;
  return source.strSrcPort === '80' ? source.strSrcIpAddress : `${source.strSrcIpAddress}:${source.strSrcPort}`;
}
