// The player's public names. `h5splayer.d.ts` describes them for other people's pages.

export { H5siOS, H5sSafariBrowser } from './browser';
export { GetURLParameter, H5sPlayerCreate, H5sPlayerDelete, H5sSnapshot } from './helper';
export { H5sPlayerHls } from './hls';
export { H5sPlayerRTC } from './rtc';
export { H5sPlayerWS } from './ws';
