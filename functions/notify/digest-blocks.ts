/** A digest as Slack blocks; all of it is plain text, in which Slack looks for no markup. */
import { LEVEL_EMOJI, SEVERITY_EMOJI } from '../../shared/digest/document.ts';
import type { Line, Section } from '../../shared/digest/document.ts';
import { toHeading, toWords } from '../../shared/digest/markdown.ts';
import { countOf } from '../../shared/digest/words.ts';
import type { DigestForm } from './digest-message.ts';
import { truncateRunes } from './text.ts';

/** https://docs.slack.dev/reference/block-kit/blocks/header-block and text-object: characters; escapes make them longer. */
const HEADER_CHARS = 150;
const TEXT_CHARS = 2_800;
/** Runbook buttons of one message; a row takes 25. */
const BUTTONS = 5;
const LABEL_CHARS = 70;

/** Text, blocks and nothing unfurled. */
export function toDigestBlocks({ document, pageUrl }: DigestForm) {
  const title = `${LEVEL_EMOJI[document.level]} ${document.verdict}`;
  const runbooks = document.sections
    .filter(({ id }) => id === 'attention')
    .flatMap(({ lines }) => lines)
    .flatMap(({ link, text }) => (link === undefined ? [] : [{ label: `Runbook: ${text}`, url: link.url }]));
  const buttons = [
    ...(pageUrl === null ? [] : [{ label: 'Open and rate', url: pageUrl }]),
    ...runbooks.filter(({ url }, index) => runbooks.findIndex((other) => other.url === url) === index),
  ].slice(0, BUTTONS);
  return {
    text: escape(truncateRunes(title, TEXT_CHARS)),
    mrkdwn: false,
    unfurl_links: false,
    unfurl_media: false,
    blocks: [
      { type: 'header', text: toText(truncateRunes(toHeading(document), HEADER_CHARS)) },
      { type: 'section', text: toText(truncateRunes(`${document.span}\n${title}`, TEXT_CHARS)) },
      ...document.sections.map((section) => ({ type: 'section', text: toText(toSection(section)) })),
      ...(document.cuts.length === 0
        ? []
        : [
            {
              type: 'section',
              text: toText(truncateRunes(`Not shown: ${document.cuts.join('; ')}`, TEXT_CHARS)),
            },
          ]),
      ...(buttons.length === 0
        ? []
        : [
            {
              type: 'actions',
              elements: buttons.map(({ label, url }) => ({
                type: 'button',
                text: toText(truncateRunes(label, LABEL_CHARS)),
                url,
              })),
            },
          ]),
    ],
  };
}

function toSection({ emoji, title, lines }: Section): string {
  const head = `${emoji} ${title}`;
  if (lines.length === 0) return `${head}\nNone`;
  const shown: string[] = [head];
  let length = escape(head).length + 60;
  for (const [index, line] of lines.entries()) {
    const text = toLine(line);
    length += escape(text).length + 1;
    if (length > TEXT_CHARS) {
      shown.push(`Cut here: ${countOf(lines.length - index, 'further line')}; the console has all of them`);
      break;
    }
    shown.push(text);
  }
  return shown.join('\n');
}

function toLine(line: Line): string {
  if (line.text.startsWith('↳')) return `   ${toWords(line)}`;
  const emoji = line.severity === undefined ? '•' : SEVERITY_EMOJI[line.severity];
  return line.text.startsWith(emoji) ? toWords(line) : `${emoji} ${toWords(line)}`;
}

function toText(text: string) {
  return { type: 'plain_text', text: escape(text), emoji: false };
}

/** https://docs.slack.dev/messaging/formatting-message-text/#escaping: the three characters that can start anything. */
function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
