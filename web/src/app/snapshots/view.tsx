// One snapshot, large: with the next and the previous one by keys and buttons, download, delete, and its recording.

import { useEffect } from 'preact/hooks';
import { ask, Button, Dialog, tell } from '../kit';
import { type Footage, remove } from '../playback/footage';
import { clock, dayOf, dayText } from '../playback/time';
import { href } from '../route';
import { fileAddress } from '../session';
import { isAdministrator, nameOf, sourceMap } from '../state';
import { t } from '../text';
import { bytes, moment } from '../words';
import type { Gallery } from './gallery';

interface ViewProps {
  gallery: Gallery;
  /** Of the pictures, the newest first. */
  at: number;
  onMove: (at: number) => void;
  onClose: () => void;
}

export function View({ gallery, at, onMove, onClose }: ViewProps) {
  const pictures = gallery.pictures.value;
  const picture = pictures[at];
  const last = pictures.length - 1;
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const moves: Record<string, number> = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last };
      const to = moves[event.key];
      // The question before a deletion stands over this.
      if (to === undefined || document.querySelectorAll('dialog[open]').length > 1) return;
      event.preventDefault();
      onMove(Math.min(last, Math.max(0, to)));
    };
    document.addEventListener('keydown', press);
    return () => document.removeEventListener('keydown', press);
  }, [at, last]);
  useEffect(() => {
    if (!picture) onClose();
  }, [picture]);
  if (!picture) return null;
  const name = cameraName(picture);
  return (
    <Dialog title={`${name} · ${moment(picture.start)}`} onClose={onClose} wide>
      <figure class="large">
        <img src={fileAddress(picture.url)} alt={t('snapshots.picture_of', { name, time: clock(picture.start) })} />
        <figcaption>
          <span role="status">{t('snapshots.place', { n: at + 1, all: pictures.length, size: bytes(picture.bytes) })}</span>
        </figcaption>
      </figure>
      <div class="buttons large-acts">
        <Button icon="back" disabled={at === 0} onPress={() => onMove(at - 1)}>
          {t('snapshots.newer')}
        </Button>
        <Button class="turned" icon="next" disabled={at === last} onPress={() => onMove(at + 1)}>
          {t('snapshots.older')}
        </Button>
        <span class="room" />
        <a class="quiet" href={playAddress(picture)}>
          {t('snapshots.play')}
        </a>
        <a class="quiet" href={fileAddress(picture.url, { download: '1' })} download="">
          {t('snapshots.download')}
        </a>
        {isAdministrator.value && (
          <Button kind="quiet" class="danger" disabled={picture.locked} onPress={() => askDelete(gallery, picture)}>
            {t('snapshots.delete')}
          </Button>
        )}
      </div>
    </Dialog>
  );
}

export function cameraName({ token }: Footage): string {
  const source = sourceMap.value.get(token);
  return source ? nameOf(source) : token;
}

function playAddress({ token, start }: Footage): string {
  return href('playback', { token, day: dayText(dayOf(start)), time: clock(start) });
}

function askDelete(gallery: Gallery, picture: Footage): void {
  ask({
    title: t('snapshots.delete_title'),
    text: t('snapshots.delete_text', { name: cameraName(picture), time: moment(picture.start) }),
    yes: t('snapshots.delete'),
    act: async () => {
      await remove('snapshot', picture);
      gallery.drop(picture);
      tell(t('snapshots.deleted'));
    },
  });
}
