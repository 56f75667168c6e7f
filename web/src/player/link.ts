// A WebSocket that is kept up: keepalive each second, redialled when it goes down.

import { Backoff } from './backoff';

const KEEPALIVE_EVERY = 1000;

export interface LinkEvents {
  open(): void;
  message(data: string | ArrayBuffer): void;
  /** The socket went down unasked; `reached` tells whether it had been open. A redial follows. */
  down(reached: boolean): void;
}

export class Link {
  private socket: WebSocket | undefined;
  private keepaliveTimer: ReturnType<typeof setInterval> | undefined;
  private redialTimer: ReturnType<typeof setTimeout> | undefined;
  private readonly backoff = new Backoff();

  constructor(
    private readonly url: () => string,
    private readonly keepalive: object,
    private readonly events: LinkEvents,
  ) {}

  open(): void {
    this.close();
    const socket = new WebSocket(this.url());
    this.socket = socket;
    let reached = false;
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => {
      reached = true;
      this.keepaliveTimer = setInterval(() => this.send(this.keepalive), KEEPALIVE_EVERY);
      this.events.open();
    };
    socket.onmessage = (event: MessageEvent<string | ArrayBuffer>) => this.events.message(event.data);
    socket.onclose = () => this.redial(reached);
  }

  /** Drops the connection and dials again after the waiting time. */
  restart(): void {
    this.redial(true);
  }

  /** For good, until `open`. */
  close(): void {
    clearInterval(this.keepaliveTimer);
    clearTimeout(this.redialTimer);
    const socket = this.socket;
    this.socket = undefined;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  send(message: object): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  /** The connection does what it is for: the next redial is a quick one. */
  healthy(): void {
    this.backoff.reset();
  }

  private redial(reached: boolean): void {
    this.close();
    this.redialTimer = setTimeout(() => this.open(), this.backoff.delay());
    this.events.down(reached);
  }
}
