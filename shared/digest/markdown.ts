/** A digest as text: Markdown for people's notes and mails, plain lines for terminals, and a short form for phones. Pure. */
import { LEVEL_EMOJI, SEVERITY_EMOJI } from './document.ts';
import type { DigestDocument, Line, Section } from './document.ts';
import { countOf } from './words.ts';

/** Lines of the short form below verdict and numbers. */
const SHORT_LINES = 6;

/** Markdown with the seed's headings; texts from alerts cannot become markup. */
export function toMarkdown(document: DigestDocument): string {
  return [
    `## ${LEVEL_EMOJI[document.level]} ${escape(toHeading(document))}`,
    escape(document.span),
    `**${escape(document.verdict)}**`,
    ...document.sections.map((section) =>
      [`### ${section.emoji} ${section.title}`, ...toItems(section, toMarkdownLine)].join('\n'),
    ),
    ...(document.cuts.length === 0 ? [] : [`_Not shown: ${escape(document.cuts.join('; '))}._`]),
    ...(document.model === null
      ? []
      : [`_✎ marks notes written by ${escape(document.model)}; all else is counted._`]),
  ].join('\n\n');
}

/** Plain text, complete; what stands first in a mail. */
export function toPlainText(document: DigestDocument): string {
  return [
    toHeading(document),
    document.span,
    '',
    `${LEVEL_EMOJI[document.level]} ${document.verdict}`,
    ...document.sections.flatMap((section) => [
      '',
      `${section.emoji} ${section.title}`,
      ...toItems(section, (line, place) => {
        const link = line.link === undefined ? '' : ` ${line.link.label}: ${line.link.url}`;
        const mark = line.text.startsWith('↳') ? '   ' : place;
        return `${mark} ${toMark(line)}${toWords(line)}${link}`;
      }),
    ]),
    ...(document.cuts.length === 0 ? [] : ['', `Not shown: ${document.cuts.join('; ')}.`]),
    ...(document.model === null
      ? []
      : ['', `✎ marks notes written by ${document.model}; all else is counted.`]),
  ].join('\n');
}

/** What fits on a phone: the verdict is the title, these are the lines. A quiet night is two lines in all. */
export function toShortText(document: DigestDocument): string {
  if (document.level === 'silent') return document.span;
  const attention = document.sections.find(({ id }) => id === 'attention')?.lines ?? [];
  const loud = attention.filter(({ text }) => !text.startsWith('↳'));
  const shown = loud.slice(0, SHORT_LINES);
  const hidden = loud.length - shown.length;
  const missed = document.sections.find(({ id }) => id === 'missed')?.lines ?? [];
  return [
    document.numbers,
    ...shown.map(
      (line) => `${line.severity === undefined ? '•' : SEVERITY_EMOJI[line.severity]} ${line.text}`,
    ),
    ...(hidden > 0 ? [`and ${countOf(hidden, 'further group')}`] : []),
    ...missed.slice(0, 2).map(({ text }) => `🕳️ ${text}`),
    document.span,
  ].join('\n');
}

/** "Overnight digest", with whose it is. */
export function toHeading({ title, name }: DigestDocument): string {
  return name === null ? title : `${title} · ${name}`;
}

/** The mark of a line's severity, where its text does not begin with it. */
export function toMark({ severity, text }: Line): string {
  return severity === undefined || text.startsWith(SEVERITY_EMOJI[severity])
    ? ''
    : `${SEVERITY_EMOJI[severity]} `;
}

/** A line's words with its marks: when to act, and that a model wrote it. */
export function toWords({ text, when, ai }: Line): string {
  return `${when === undefined ? '' : `${when}: `}${text}${ai === true ? ' ✎' : ''}`;
}

function toItems(section: Section, write: (line: Line, place: string) => string): string[] {
  if (section.lines.length === 0) return ['None'];
  const isNumbered = section.id === 'actions';
  return section.lines.map((line, index) => write(line, isNumbered ? `${index + 1}.` : '•'));
}

function toMarkdownLine(line: Line, place: string): string {
  const link = line.link === undefined ? '' : ` [${line.link.label}](<${line.link.url}>)`;
  if (line.text.startsWith('↳ ')) return `   - ${escape(toWords({ ...line, text: line.text.slice(2) }))}`;
  const bullet = place === '•' ? '-' : place;
  return `${bullet} ${toMark(line)}${escape(toWords(line))}${link}`;
}

/** Characters that Markdown reads; `<` would open HTML. */
function escape(text: string): string {
  return text.replaceAll(/[\\`*_[\]<>#|~]/g, '\\$&');
}
