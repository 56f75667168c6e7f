// Steering a camera: orders go out one after the other, the newest wins, and a move always ends with a stop.

export type Action = 'up' | 'down' | 'left' | 'right' | 'upleft' | 'upright' | 'downleft' | 'downright' | 'zoomin' | 'zoomout' | 'focusnear' | 'focusfar';
export type Order = Action | 'stop';

export class Steering {
  private wanted: Order = 'stop';
  private sent: Order = 'stop';
  private sending = false;

  constructor(
    private readonly send: (order: Order) => Promise<unknown>,
    private readonly failed: (error: unknown) => void,
  ) {}

  start(action: Action): void {
    this.wanted = action;
    void this.pump();
  }

  stop(): void {
    this.wanted = 'stop';
    void this.pump();
  }

  private async pump(): Promise<void> {
    if (this.sending) return;
    this.sending = true;
    while (this.sent !== this.wanted) {
      this.sent = this.wanted;
      try {
        await this.send(this.sent);
      } catch (error) {
        this.failed(error);
        // The order may have reached the camera though its answer did not come back.
        if (this.sent !== 'stop') await this.send('stop').catch(() => undefined);
        this.sent = this.wanted = 'stop';
      }
    }
    this.sending = false;
  }
}

/** What the held keys mean together; `undefined` for nothing. */
export function actionOf(keys: ReadonlySet<string>): Action | undefined {
  if (keys.has('+') || keys.has('=')) return 'zoomin';
  if (keys.has('-') || keys.has('_')) return 'zoomout';
  const up = keys.has('ArrowUp') !== keys.has('ArrowDown') ? (keys.has('ArrowUp') ? 'up' : 'down') : '';
  const side = keys.has('ArrowLeft') !== keys.has('ArrowRight') ? (keys.has('ArrowLeft') ? 'left' : 'right') : '';
  return ((up + side) as Action) || undefined;
}

export const STEERING_KEYS: ReadonlySet<string> = new Set(['ArrowUp', 'ArrowDown', 'ArrowLeft', 'ArrowRight', '+', '=', '-', '_']);
