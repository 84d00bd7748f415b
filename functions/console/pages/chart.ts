/**
 * Plots as SVG text. d3-scale and d3-shape do the arithmetic and need no DOM; they are loaded with the first page that
 * draws. No style attribute is used (the Content-Security-Policy forbids them), colours come from the style sheet.
 * Every plot carries its numbers in words for those who cannot see it.
 */
import { html } from 'hono/html';
import type { Html } from './layout.ts';

const SPARK = { width: 120, height: 28 } as const;

/** A small line of bars, one per day; `label` says the same in words. */
export async function sparkline(
  values: readonly number[],
  label: string,
  size: { readonly width: number; readonly height: number } = SPARK,
): Promise<Html> {
  const { scaleLinear, scaleBand } = await import('./scales.ts');
  const most = Math.max(1, ...values);
  const y = scaleLinear([0, most], [0, size.height - 2]);
  const x = scaleBand(
    values.map((_, index) => index),
    [0, size.width],
  ).padding(0.2);
  const width = round(x.bandwidth());
  const bars = values.flatMap((value, index) =>
    value === 0
      ? []
      : [
          `M${round(x(index) ?? 0)} ${size.height - 1}v-${Math.max(1.5, round(y(value)))}h${width}V${size.height - 1}z`,
        ],
  );
  return html`<svg
    role="img"
    aria-label="${label}"
    width="${size.width}"
    height="${size.height}"
    viewBox="0 0 ${size.width} ${size.height}"
  >
    <path class="axis" d="M0 ${size.height - 0.5}H${size.width}" />
    <path class="bar" d="${bars.join('')}" />
  </svg>`;
}

export interface Stack {
  /** Under the bar; only some are shown when there are many. */
  readonly label: string;
  readonly values: Readonly<Record<string, number>>;
}

const MARGINS = { left: 36, bottom: 24, top: 8 } as const;
/** Room for a label under the axis. */
const LABEL_WIDTH = 60;

/** Stacked bars, one per label from left to right; `layers` from the bottom up are also the classes of their colours. */
export async function stackedBars(
  stacks: readonly Stack[],
  layers: readonly string[],
  title: string,
  { width, height }: { readonly width: number; readonly height: number },
): Promise<Html> {
  const { scaleLinear, scaleBand, stack } = await import('./scales.ts');
  const { left, bottom, top } = MARGINS;
  const most = Math.max(
    1,
    ...stacks.map(({ values }) => layers.reduce((sum, layer) => sum + (values[layer] ?? 0), 0)),
  );
  const y = scaleLinear([0, most], [height - bottom, top]).nice(4);
  const x = scaleBand(
    stacks.map((_, index) => index),
    [left, width],
  ).padding(0.25);
  const series = stack<Stack, string>()
    .keys(layers)
    .value((each, layer) => each.values[layer] ?? 0)([...stacks]);
  const bars = series.map((layer) => {
    const paths = layer.flatMap(([low, high], index) =>
      high <= low
        ? []
        : [
            `M${round(x(index) ?? 0)} ${round(y(low))}V${round(y(high))}h${round(x.bandwidth())}V${round(y(low))}z`,
          ],
    );
    return html`<path class="bar ${layer.key}" d="${paths.join('')}" />`;
  });
  const every = Math.ceil((stacks.length * LABEL_WIDTH) / (width - left));
  const labels = stacks.flatMap(({ label }, index) =>
    (stacks.length - 1 - index) % every === 0
      ? [
          html`<text x="${round((x(index) ?? 0) + x.bandwidth() / 2)}" y="${height - 6}" text-anchor="middle"
            >${label}</text
          >`,
        ]
      : [],
  );
  const lines = y
    .ticks(4)
    .filter(Number.isInteger)
    .map(
      (tick) =>
        html`<path class="axis" d="M${left} ${round(y(tick))}H${width}" /><text
            x="${left - 6}"
            y="${round(y(tick) + 4)}"
            text-anchor="end"
            >${tick}</text
          >`,
    );
  return html`<svg
    role="img"
    aria-label="${title}"
    viewBox="0 0 ${width} ${height}"
    width="${width}"
    height="${height}"
  >
    ${lines}${bars}${labels}
  </svg>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
