// How several players are kept in step: who stands, who is let go, and where the common play head is. Nothing here
// touches a browser. Times are milliseconds; places are moments of recorded time.

/** One camera at a look. */
export interface Runner {
  /** The moment that it shows; `undefined` until it has a picture. */
  place: number | undefined;
  /** For how long it has not come on, though nobody held it. */
  stuck: number;
}

export interface Stride {
  /** Where the play head is now. */
  head: number;
  /** By runner: it stands until the head has come to it. */
  hold: boolean[];
  /** By runner: it is too far behind, and is sent to the head. */
  send: boolean[];
  /** Nobody has a picture at the head; the next one that has is there. */
  ahead: number | undefined;
}

/** So far ahead one is held, so near it is let go, in milliseconds of time on the wall. */
const TOO_FAR = 120;
const NEAR = 40;
/** Who has not come on for so long is not waited for any more. */
const PATIENCE = 2500;
/** Who is behind by more is sent on rather than waited for. */
const LOST = 4000;

/**
 * A look at the runners. The head is where the slowest one is, so that nobody is ever behind it but those that are
 * not waited for. `held` tells who is held at present.
 */
export function stride(runners: readonly Runner[], head: number, held: readonly boolean[], speed: number): Stride {
  const counts = (runner: Runner) => runner.place !== undefined && runner.stuck < PATIENCE && runner.place > head - LOST * speed;
  const places = runners.filter(counts).map(({ place = head }) => place);
  const slowest = places.length > 0 ? Math.min(...places) : undefined;
  const isGap = slowest !== undefined && slowest > head + LOST * speed;
  const next = slowest === undefined || isGap ? head : slowest;
  return {
    head: next,
    hold: runners.map(({ place }, index) => place !== undefined && place - next > (held[index] ? NEAR : TOO_FAR) * speed),
    send: runners.map(({ place }) => place !== undefined && next - place > LOST * speed),
    ahead: isGap ? slowest : undefined,
  };
}
