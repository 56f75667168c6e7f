// The player as the pages use it: the delivered classic script, which has set its names on the page.

import type * as Player from '../player';

export const player = globalThis as unknown as typeof Player;
