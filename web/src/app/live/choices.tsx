// How one camera is shown: way, picture, place; and off the wall.

import { Button, Choice, Dialog, Select } from '../kit';
import { href } from '../route';
import { sourceMap } from '../state';
import { t } from '../text';
import { placeOf, type Profile, type Way } from './layout';
import { hasSub } from './tile';
import * as wall from './wall';

export function Choices() {
  const token = wall.choosing.value;
  const place = placeOf(wall.layout.value, token);
  const tile = wall.layout.value.tiles[place];
  if (!tile) return null;
  const source = sourceMap.value.get(token);
  const close = () => (wall.choosing.value = '');
  const ways = [['', t('live.automatic')], ['rtc', t('live.way_rtc')], ['ws', t('live.way_ws')], ['hls', t('live.way_hls')]] as const;
  const profiles = [['', t('live.automatic')], ['main', t('live.profile_main')], ['sub', t('live.profile_sub')]] as const;
  const others = Array.from({ length: wall.places.value }, (_, n) => {
    const there = wall.tokenAt(n);
    return [String(n), there && n !== place ? t('live.place_taken', { n: n + 1, name: wall.nameOfToken(there) }) : String(n + 1)] as const;
  });
  return (
    <Dialog title={wall.nameOfToken(token)} onClose={close}>
      <div class="choices">
        <div>
          <b>{t('live.way')}</b>
          <Choice label={t('live.way')} value={tile.transport ?? ''} options={ways} onPick={(way) => wall.change(token, { transport: (way || undefined) as Way | undefined })} />
          <small>{t('live.way_hint')}</small>
        </div>
        {source && hasSub(source) && (
          <div>
            <b>{t('live.picture')}</b>
            <Choice label={t('live.picture')} value={tile.profile ?? ''} options={profiles} onPick={(profile) => wall.change(token, { profile: (profile || undefined) as Profile | undefined })} />
            <small>{t('live.picture_hint')}</small>
          </div>
        )}
        {others.length > 1 && <Select label={t('live.place')} value={String(place)} options={others} onPick={(to) => wall.swap(place, Number(to))} />}
        <div class="buttons">
          <a class="quiet" href={href('playback', { token })}>
            {t('live.play_back')}
          </a>
          <Button
            icon="close"
            onPress={() => {
              close();
              wall.clear(place);
            }}
          >
            {t('live.remove')}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
