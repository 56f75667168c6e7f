// Helper functions under the names that pages in the field call (docs/protocol.md 5).

import { H5sConf } from './conf';
import { H5sPlayerHls } from './hls';
import { H5sPlayerRTC } from './rtc';
import { H5sPlayerWS, mediaSourceClass } from './ws';

export type H5sPlayer = H5sPlayerWS | H5sPlayerRTC | H5sPlayerHls;

/** The player that suits the browser: WebSocket, without Media Source Extensions WebRTC, else HLS. */
export function H5sPlayerCreate(conf: H5sConf): H5sPlayer {
  if (mediaSourceClass()) return new H5sPlayerWS(conf);
  if (typeof RTCPeerConnection !== 'undefined') return new H5sPlayerRTC(conf);
  return new H5sPlayerHls(conf);
}

/** Disconnects; false where there is nothing to disconnect. */
export function H5sPlayerDelete(player: H5sPlayer | null | undefined): boolean {
  player?.disconnect();
  return Boolean(player);
}

/** A parameter of the page's query, decoded. */
export function GetURLParameter(name: string): string | undefined {
  return new URLSearchParams(window.location.search).get(name) ?? undefined;
}

/**
 * The picture a video element shows, as a `data:` address of a JPEG; empty before there is one.
 * With a file name it is saved as well.
 */
export function H5sSnapshot(video: string | HTMLVideoElement, filename?: string): string {
  const element = typeof video === 'string' ? document.getElementById(video) : video;
  if (!(element instanceof HTMLVideoElement) || element.videoWidth === 0) return '';
  const canvas = document.createElement('canvas');
  canvas.width = element.videoWidth;
  canvas.height = element.videoHeight;
  canvas.getContext('2d')?.drawImage(element, 0, 0);
  const address = canvas.toDataURL('image/jpeg', 0.92);
  if (filename) save(address, filename);
  return address;
}

function save(address: string, filename: string): void {
  const link = document.createElement('a');
  link.href = address;
  link.download = filename;
  link.click();
}
