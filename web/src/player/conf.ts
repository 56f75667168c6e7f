// The conf object of the manual's chapter 6.1 with its later keys, and the addresses that follow from it.

/** What a player tells its page. `text` is meant for people. */
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

/** Playback of recordings. The flags are the texts 'true' and 'false', as pages in the field write them. */
export interface H5sPbConf {
  begintime?: string;
  endtime?: string;
  /** Where in the span to begin; the begin time by default. */
  moveto?: string;
  /** 'true' sends H5_START as soon as the socket opens. */
  autoplay?: string;
  /** 'false' leaves the poster away. */
  showposter?: string;
  /** 'true' plays the server's own recordings, 'false' the device's. */
  serverpb?: string;
  filename?: string;
  /** Gets each text message of the server that is not about the connection itself. */
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
  token: string;
  /** 'main' or 'sub'. */
  streamprofile?: string;
  /** 'v1' is MPEG-TS, 'v2' is fMP4 with low latency. */
  hlsver?: string;
  /** Session from Login. */
  session?: string;
  pbconf?: H5sPbConf;
  /** 'true' writes what happens to the console. */
  consolelog?: string;
  onstate?: (state: H5sState) => void;
}

/**
 * The folder a root path names, with a slash at both ends. Pages pass `location.pathname`, so a file
 * name at its end is dropped.
 */
export function folderOf(rootpath: string): string {
  const parts = rootpath.split('/').filter((part) => part !== '');
  const last = parts[parts.length - 1];
  if (last !== undefined && !rootpath.endsWith('/') && last.includes('.')) parts.pop();
  return parts.length === 0 ? '/' : `/${parts.join('/')}/`;
}

/** `name=value` pairs joined and percent-encoded; pairs without a value are left out. */
export function query(pairs: Record<string, string | undefined>): string {
  return Object.entries(pairs)
    .filter(([, value]) => value !== undefined && value !== '')
    .map(([name, value]) => `${name}=${encodeURIComponent(value as string)}`)
    .join('&');
}

/** Pages write a session they do not have as the text of an empty variable. */
export function cleanSession(session: string | null | undefined): string | undefined {
  return session && session !== 'undefined' && session !== 'null' ? session : undefined;
}

/** Whether the browser decodes H.265 itself. */
function takesHevc(): boolean {
  return globalThis.MediaSource?.isTypeSupported('video/mp4; codecs="hvc1.1.6.L93.B0"') ?? false;
}

interface Place {
  protocol: string;
  host: string;
  pathname: string;
}

/** The addresses of one player's server. */
export class Urls {
  private readonly base: string;
  private readonly socketBase: string;

  constructor(
    private readonly conf: H5sConf,
    page: Place = globalThis.location,
  ) {
    const secure = (conf.protocol ?? page.protocol) === 'https:';
    const place = `${conf.host ?? page.host}${folderOf(conf.rootpath ?? page.pathname)}`;
    this.base = `${secure ? 'https' : 'http'}://${place}`;
    this.socketBase = `${secure ? 'wss' : 'ws'}://${place}`;
  }

  /** A media socket, `h5swsapi` or `h5srtcapi` (docs/protocol.md 1, 2). `moveto` is where in its span a playback begins. */
  media(api: string, moveto?: string): string {
    const { token, streamprofile, pbconf } = this.conf;
    const profile = streamprofile ?? 'main';
    const session = cleanSession(this.conf.session);
    const live = { token, profile, session };
    const playback = {
      token,
      hevc: String(takesHevc()),
      playback: 'true',
      profile,
      serverpb: pbconf?.serverpb ?? 'false',
      begintime: pbconf?.begintime ?? '0',
      endtime: pbconf?.endtime ?? '0',
      moveto: moveto ?? pbconf?.begintime ?? '0',
      filename: pbconf?.filename ?? 'fake',
      session,
    };
    return `${this.socketBase}api/v1/${api}?${query(pbconf ? playback : live)}`;
  }

  /** The socket that keeps an on-demand source up while HLS plays. */
  keepUp(): string {
    return `${this.socketBase}api/v1/h5swscmnapi?${this.access()}`;
  }

  /** The playlist: a live one, or that of the span to play back. */
  hls(): string {
    const { pbconf, hlsver, token } = this.conf;
    const kind = pbconf ? 'vod' : hlsver === 'v2' ? 'v2' : 'v1';
    const { begintime, endtime } = pbconf ?? {};
    const asked = query({ begintime, endtime, session: cleanSession(this.conf.session) });
    return `${this.base}hls/${kind}/${encodeURIComponent(token)}/hls.m3u8${asked && `?${asked}`}`;
  }

  poster(): string {
    return `${this.base}api/v1/GetImage?${this.access()}`;
  }

  /** Where the source's own state is told. */
  source(): string {
    return `${this.base}api/v1/GetSrc?${this.access()}`;
  }

  private access(): string {
    return query({ token: this.conf.token, session: cleanSession(this.conf.session) });
  }
}
