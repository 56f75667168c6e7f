// Entry of `h5splayer.js`, the classic script: its names become the page's globals.

import * as player from './index';
import { playerIsAt } from './loadhls';

const script = document.currentScript;
playerIsAt(script instanceof HTMLScriptElement ? script.src : document.baseURI);

Object.assign(globalThis, player);
