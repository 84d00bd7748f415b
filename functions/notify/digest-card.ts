/**
 * A digest as an Adaptive Card: verdict and what needs somebody are open, everything else behind toggles, as in the
 * proposal. All text is in TextRuns, which know no Markdown, so nothing in it can become a link by itself.
 */
import { LEVEL_EMOJI } from '../../shared/digest/document.ts';
import type { DigestDocument, Level, Line, Section } from '../../shared/digest/document.ts';
import { toHeading, toMark, toWords } from '../../shared/digest/markdown.ts';
import { disarm } from './card-text.ts';
import { fitSections } from './digest-cut.ts';
import type { DigestForm } from './digest-message.ts';

/** As in teams.ts, where its source is: what Teams adds is left room for. */
const CARD_BYTES = 20_000;
/** Sections that are open from the start; the others are toggled. */
const OPEN: ReadonlySet<string> = new Set(['attention', 'summary']);
const STYLES = {
  urgent: 'attention',
  attention: 'warning',
  look: 'accent',
  calm: 'good',
  silent: 'good',
} as const satisfies Record<Level, string>;
/** Short names, as a row of toggles has little room; the headings are in the sections. */
const TOGGLES: Readonly<Record<string, string>> = {
  patterns: 'Show Patterns',
  actions: 'Show Recommendations',
  breakdown: 'By Severity',
  woke: 'Told',
  held: 'Held',
  new: 'New',
  returning: 'Returning',
  changes: 'Changes',
  compared: 'Compared',
  missed: 'Missed',
};
/** Toggles of one row; Teams shows at most six actions of a set (https://learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/cards/cards-reference). */
const ACTIONS_IN_ROW = 4;

/** The envelope and its card. */
export function toDigestCard({ document, pageUrl }: DigestForm) {
  const withSections = (sections: readonly Section[]) => toEnvelope(document, sections, pageUrl);
  const frame = bytesOf(withSections(document.sections.map((section) => ({ ...section, lines: [] }))));
  const sections = fitSections(document, CARD_BYTES - frame, (line) => bytesOf(toLine(line)) + 1);
  return withSections(sections);
}

function toEnvelope(document: DigestDocument, sections: readonly Section[], pageUrl: string | null) {
  const hidden = sections.filter(({ id }) => !OPEN.has(id));
  return {
    type: 'message',
    attachments: [
      {
        contentType: 'application/vnd.microsoft.card.adaptive',
        contentUrl: null,
        content: {
          $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
          type: 'AdaptiveCard',
          version: '1.4',
          msteams: { width: 'Full' },
          body: [
            toText(toHeading(document), { size: 'large', weight: 'bolder' }),
            toText(document.span, { isSubtle: true }),
            {
              type: 'Container',
              style: STYLES[document.level],
              items: [
                toText(`${LEVEL_EMOJI[document.level]} ${document.verdict}`, { weight: 'bolder' }),
                ...sections.filter(({ id }) => id === 'attention').flatMap(toItems),
              ],
            },
            ...sections.filter(({ id }) => id === 'summary').flatMap(toItems),
            ...toRows(hidden).map((row) => ({
              type: 'ActionSet',
              actions: row.map(({ id, title }) => ({
                type: 'Action.ToggleVisibility',
                title: TOGGLES[id] ?? title,
                targetElements: [`${id}-section`],
              })),
            })),
            ...hidden.map((section) => ({
              type: 'Container',
              id: `${section.id}-section`,
              isVisible: false,
              items: toItems(section),
            })),
            ...document.cuts.map((cut) => toText(`Not shown: ${cut}`, { isSubtle: true })),
          ],
          actions:
            pageUrl === null
              ? []
              : [{ type: 'Action.OpenUrl', title: 'Open and rate the digest', url: pageUrl }],
        },
      },
    ],
  };
}

function toItems(section: Section) {
  const lines = section.lines.length === 0 ? [toText('None', { isSubtle: true })] : section.lines.map(toLine);
  return [toText(`${section.emoji} ${section.title}`, { weight: 'bolder' }, 'medium'), ...lines];
}

function toLine(line: Line) {
  const inlines: object[] = [
    {
      type: 'TextRun',
      text: disarm(`${toMark(line)}${toWords(line)}${line.link === undefined ? '' : ' · '}`),
    },
  ];
  if (line.link !== undefined)
    inlines.push({
      type: 'TextRun',
      text: line.link.label,
      color: 'accent',
      selectAction: { type: 'Action.OpenUrl', url: line.link.url },
    });
  return { type: 'RichTextBlock', spacing: 'small', inlines };
}

function toText(text: string, look: Readonly<Record<string, string | boolean>>, spacing = 'small') {
  return { type: 'RichTextBlock', spacing, inlines: [{ type: 'TextRun', text: disarm(text), ...look }] };
}

function toRows<T>(items: readonly T[]): T[][] {
  const rows: T[][] = [];
  for (let from = 0; from < items.length; from += ACTIONS_IN_ROW)
    rows.push(items.slice(from, from + ACTIONS_IN_ROW));
  return rows;
}

function bytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}
