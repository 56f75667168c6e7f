// Entry of `h5splayer.mjs`.

import { playerIsAt } from './loadhls';

playerIsAt(import.meta.url);

export * from './index';
