// Fails the type check when the published types and the player drift apart. Nothing of it is built.

import type * as Published from '../../public/js/h5splayer';
import type * as Ours from './index';

type Fits<Wide, Narrow extends Wide> = Narrow;

/** Each player is what its published class says. */
export type Checked = [
  Fits<Published.H5sPlayerWS, Ours.H5sPlayerWS>,
  Fits<Published.H5sPlayerRTC, Ours.H5sPlayerRTC>,
  Fits<Published.H5sPlayerHls, Ours.H5sPlayerHls>,
  Fits<ConstructorParameters<typeof Ours.H5sPlayerWS>, ConstructorParameters<typeof Published.H5sPlayerWS>>,
  Fits<ReturnType<typeof Published.H5sPlayerCreate>, ReturnType<typeof Ours.H5sPlayerCreate>>,
  Fits<ReturnType<Ours.H5sPlayerWS['stats']>, ReturnType<Published.H5sPlayerWS['stats']>>,
  Fits<typeof Published.H5sSnapshot, typeof Ours.H5sSnapshot>,
  Fits<typeof Published.GetURLParameter, typeof Ours.GetURLParameter>,
  Fits<keyof typeof Published, keyof typeof Ours>,
  Fits<keyof typeof Ours, keyof typeof Published>,
];
