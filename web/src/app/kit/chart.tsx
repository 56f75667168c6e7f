// Small line charts of figures over time. Values that are not there leave a gap.

interface ChartProps {
  title: string;
  /** Oldest first. */
  values: readonly (number | null)[];
  /** The newest, in words. */
  now: string;
  /** The top of the chart; default the largest value. */
  top?: number;
  /** How many values the whole width stands for; default those that there are. */
  span?: number;
}

const WIDTH = 240;
const HEIGHT = 56;

export function Chart({ title, values, now, top, span = 0 }: ChartProps) {
  const before: null[] = new Array(Math.max(0, span - values.length)).fill(null);
  const most = Math.max(top ?? 0, ...values.map((value) => value ?? 0), 1);
  return (
    <figure class="chart">
      <figcaption>
        <span>{title}</span>
        <b>{now}</b>
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={`${title}: ${now}`}>
        <path d={line([...before, ...values], most)} />
      </svg>
    </figure>
  );
}

/** The path of the values, the newest at the right edge. */
export function line(values: readonly (number | null)[], most: number): string {
  const step = WIDTH / Math.max(1, values.length - 1);
  let drawing = false;
  return values
    .map((value, index) => {
      if (value === null) {
        drawing = false;
        return '';
      }
      const command = drawing ? 'L' : 'M';
      drawing = true;
      return `${command}${(index * step).toFixed(1)} ${(HEIGHT - 1 - (value / most) * (HEIGHT - 4)).toFixed(1)}`;
    })
    .join('');
}
