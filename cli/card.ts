/** Draws a push as a phone would show it: a box of at most 80 columns, its edge in the colour of the severity. Pure. */
import type { styleText } from 'node:util';
import type { Severity } from '../shared/severity.ts';

/** Cells between the edges, one of padding on each side. */
const INNER = 74;
const EDGE_COLOURS = {
  critical: 'red',
  warning: 'yellow',
  info: 'blue',
  none: 'gray',
  unknown: 'yellow',
} as const satisfies Record<Severity, string>;
/** How a phone behaves, by the message's priority. */
const SOUNDS: Readonly<Record<string, string>> = {
  high: 'loud',
  normal: 'with sound',
  low: 'quiet',
  silent: 'silent',
};
/** Drawn two cells wide: emoji, and the wide scripts of East Asia. */
const WIDE =
  /^(?:\p{Emoji_Presentation}|\p{Extended_Pictographic}\uFE0F|[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6])/u;

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** What is shown of a push. */
export interface Push {
  readonly title: string;
  readonly body: string;
  readonly severity: Severity;
  readonly priority: string;
  readonly resolved: boolean;
  readonly link: string | null;
}

/** Colours a text, or leaves it as it is where there is no terminal. */
export type Paint = (colour: Parameters<typeof styleText>[0], text: string) => string;

/** The card of the `number`th push, shown at `clock`. */
export function toCard(push: Push, number: number, clock: string, paint: Paint): string {
  const colour = push.resolved ? 'green' : EDGE_COLOURS[push.severity];
  const edge = (text: string): string => paint(colour, text);
  const head = ` push ${number} · ${SOUNDS[push.priority] ?? push.priority} `;
  const row = (text: string, style?: Parameters<typeof styleText>[0]): string => {
    const padding = ' '.repeat(Math.max(0, INNER - widthOf(text)));
    return `${edge('│')} ${style === undefined ? text : paint(style, text)}${padding} ${edge('│')}`;
  };
  const tail = ` ${clock} ─╮`;
  const body = push.body.split('\n').flatMap((line) => wrap(line, INNER));
  return [
    edge(`╭─${head}${'─'.repeat(Math.max(0, INNER + 2 - head.length - tail.length))}${tail}`),
    ...wrap(push.title, INNER).map((line) => row(line, 'bold')),
    ...body.map((line) => row(line)),
    ...(push.link === null ? [] : wrap(push.link, INNER).map((line) => row(line, 'dim'))),
    edge(`╰${'─'.repeat(INNER + 2)}╯`),
  ].join('\n');
}

/** Cells a text takes on a terminal. */
export function widthOf(text: string): number {
  let cells = 0;
  for (const { segment } of graphemes.segment(text)) cells += WIDE.test(segment) ? 2 : 1;
  return cells;
}

/** Breaks a line at spaces, and a word that is longer than a line anywhere. */
export function wrap(line: string, width: number): string[] {
  const lines: string[] = [];
  let current = '';
  for (const word of line.split(' ').flatMap((each) => breakWord(each, width))) {
    const joined = current === '' ? word : `${current} ${word}`;
    if (widthOf(joined) <= width) {
      current = joined;
      continue;
    }
    lines.push(current);
    current = word;
  }
  return [...lines, current];
}

function breakWord(word: string, width: number): string[] {
  if (widthOf(word) <= width) return [word];
  const parts: string[] = [];
  let part = '';
  for (const { segment } of graphemes.segment(word)) {
    if (widthOf(part + segment) > width) {
      parts.push(part);
      part = '';
    }
    part += segment;
  }
  return [...parts, part];
}
