// Types of h5splayer.mjs. The classic script h5splayer.js sets the same names as globals of the page.

/** What a player tells its page. `text` is meant for people; it is empty while playing. */
export interface H5sState {
  state:
    | 'connecting'
    | 'playing'
    | 'waiting'
    | 'muted'
    | 'blocked'
    | 'reconnecting'
    | 'fallback'
    | 'error'
    | 'ended'
    | 'stopped';
  text: string;
}

/** Playback of recordings. The flags are the texts 'true' and 'false'. */
export interface H5sPbConf {
  /** For example '2020-05-01T00:00:00+08:00'. */
  begintime?: string;
  endtime?: string;
  /** Where in the span to begin; the begin time by default. */
  moveto?: string;
  /** 'true' starts as soon as the connection stands; else call `start()`. */
  autoplay?: string;
  /** 'false' leaves the poster away. */
  showposter?: string;
  /** 'true' plays the server's own recordings, 'false' the device's. */
  serverpb?: string;
  filename?: string;
  /** Gets the server's text messages, for example H5S_EVENT_PB_TIME, as JSON text. */
  callback?: (text: string, userdata: unknown) => void;
  userdata?: unknown;
}

export interface H5sConf {
  /** Id of the video element. Goes before `videodom`. */
  videoid?: string;
  videodom?: HTMLVideoElement;
  /** 'http:' or 'https:'; the page's own by default. */
  protocol?: string;
  /** Host and port; the page's own by default. */
  host?: string;
  /** Path under which the server is reached; the page's own folder by default. */
  rootpath?: string;
  /** Token of the source. */
  token: string;
  /** 'main' (default) or 'sub'. */
  streamprofile?: string;
  /** HLS only: 'v1' (default) is MPEG-TS, 'v2' is fMP4 with low latency. */
  hlsver?: string;
  /** Session from Login. */
  session?: string;
  pbconf?: H5sPbConf;
  /** 'true' writes what happens to the console. */
  consolelog?: string;
  onstate?: (state: H5sState) => void;
}

/** Figures of the running stream. What is not known yet is 0 or ''. */
export interface H5sStats {
  /** For people: 'H.264', 'H.264 + AAC'. */
  codec: string;
  width: number;
  height: number;
  fps: number;
  kbps: number;
  /** How far the shown picture is behind the newest media that has arrived or is listed, in milliseconds. */
  delayMs: number;
  /** The way in use; a WebRTC player that fell back says 'ws'. */
  transport: 'ws' | 'rtc' | 'hls';
  /** Seconds of media in hand. */
  buffered: number;
}

declare class Player {
  constructor(conf: H5sConf);
  /** Starts, and keeps playing through failures until `disconnect`. */
  connect(): void;
  /** Stops and lets go of the video element. */
  disconnect(): void;
  stats(): H5sStats;

  // Playback, with `pbconf`.
  start(): void;
  pause(): void;
  resume(): void;
  /** Seconds from the begin time. */
  seek(seconds: number): void;
  /** To a moment: '2020-05-01T00:00:00+08:00'. */
  moveto(time: string): void;
  /** A factor as text: '0.5', '1.0', '2.0', '4.0', '8.0', '16.0'. */
  speed(factor: string): void;
}

/** Fragmented MP4 over WebSocket. */
export class H5sPlayerWS extends Player {}
/** WebRTC; plays over WebSocket where WebRTC gives no picture. */
export class H5sPlayerRTC extends Player {}
/** HLS. Loads hls.min.js from beside the player's file where the browser needs it. */
export class H5sPlayerHls extends Player {}

/** The player that suits the browser. */
export function H5sPlayerCreate(conf: H5sConf): H5sPlayerWS | H5sPlayerRTC | H5sPlayerHls;
/** Disconnects; false where there is nothing to disconnect. */
export function H5sPlayerDelete(player: Player | null | undefined): boolean;
/** A parameter of the page's query, decoded. */
export function GetURLParameter(name: string): string | undefined;
export function H5siOS(): boolean;
export function H5sSafariBrowser(): boolean;
/**
 * The picture a video element (or the one with this id) shows, as a `data:` address of a JPEG; empty before there
 * is one. With a file name it is saved as well.
 */
export function H5sSnapshot(video: string | HTMLVideoElement, filename?: string): string;

// Without this line every name in this file would count as exported.
export {};
