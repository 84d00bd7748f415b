/** A digest as a mail: the whole text first, the same as simple HTML beside it. */
import { LEVEL_EMOJI } from '../../shared/digest/document.ts';
import type { Line, Section } from '../../shared/digest/document.ts';
import { toHeading, toMark, toPlainText, toWords } from '../../shared/digest/markdown.ts';
import { fitSections } from './digest-cut.ts';
import type { DigestForm } from './digest-message.ts';

/** None is documented; ours: mail programs fold what is longer (Gmail at 102 KB). */
const TEXT_BYTES = 60_000;

/** Both parts of the mail. */
export function toDigestMail({ document, pageUrl }: DigestForm): {
  readonly text: string;
  readonly html: string;
} {
  const sections = fitSections(document, TEXT_BYTES, (line) => Buffer.byteLength(JSON.stringify(line)));
  const fitted = { ...document, sections };
  const verdict = `${LEVEL_EMOJI[document.level]} ${document.verdict}`;
  return {
    text:
      pageUrl === null
        ? toPlainText(fitted)
        : `${toPlainText(fitted)}\n\nOpen and rate the digest\n${pageUrl}`,
    html: [
      '<!doctype html><html lang="en"><body style="font:16px/1.5 sans-serif;max-width:60em">',
      `<h1 style="font-size:1.3em">${escape(toHeading(document))}</h1>`,
      `<p>${escape(document.span)}</p><p><strong>${escape(verdict)}</strong></p>`,
      ...sections.map(toHtml),
      ...(document.cuts.length === 0 ? [] : [`<p>Not shown: ${escape(document.cuts.join('; '))}.</p>`]),
      ...(document.model === null
        ? []
        : [`<p>✎ marks notes written by ${escape(document.model)}; all else is counted.</p>`]),
      ...(pageUrl === null ? [] : [`<p><a href="${escape(pageUrl)}">Open and rate the digest</a></p>`]),
      '</body></html>',
    ].join('\n'),
  };
}

function toHtml({ id, emoji, title, lines }: Section): string {
  const head = `<h2 style="font-size:1.1em">${emoji} ${escape(title)}</h2>`;
  if (lines.length === 0) return `${head}<p>None</p>`;
  const tag = id === 'actions' ? 'ol' : 'ul';
  return `${head}<${tag}>${lines.map(toItem).join('\n')}</${tag}>`;
}

function toItem(line: Line): string {
  const link =
    line.link === undefined ? '' : ` <a href="${escape(line.link.url)}">${escape(line.link.label)}</a>`;
  const isNote = line.text.startsWith('↳ ');
  const words = escape(toWords(isNote ? { ...line, text: line.text.slice(2) } : line));
  return `<li${isNote ? ' style="list-style:none;margin-left:1em"' : ''}>${toMark(line)}${words}${link}</li>`;
}

function escape(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}
