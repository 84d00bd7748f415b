/** A digest as a message: the short form that every channel can send, and the document for those that can show more. Pure. */
import { LEVEL_EMOJI, documentSchema } from '../../shared/digest/document.ts';
import type { DigestDocument, Level } from '../../shared/digest/document.ts';
import { toHeading, toShortText } from '../../shared/digest/markdown.ts';
import type { DigestRow } from '../../shared/postgres/digests.ts';
import type { Severity } from '../../shared/severity.ts';
import { toFacts } from './message-facts.ts';
import type { Message, Priority } from './message.ts';
import { safeLink } from './text.ts';

/** What a channel that shows long texts gets beside the short form. */
export interface DigestForm {
  readonly document: DigestDocument;
  /** The digest's page in the console, where it is whole and can be rated; null when not configured. */
  readonly pageUrl: string | null;
}

/** A digest tells of what is over or was pushed already: only what still fires critically makes a sound. */
const LOUDNESS = {
  urgent: { priority: 'normal', severity: 'critical' },
  attention: { priority: 'low', severity: 'warning' },
  look: { priority: 'low', severity: 'info' },
  calm: { priority: 'low', severity: 'info' },
  silent: { priority: 'low', severity: 'none' },
} as const satisfies Record<Level, { priority: Priority; severity: Severity }>;

export interface DigestTelling {
  readonly possiblyRepeated: boolean;
  readonly consoleUrl: string | null;
  /** Hosts that links of alerts may lead to; every host unless told. */
  readonly allowedHosts?: readonly string[] | undefined;
}

/** Writes the message of a stored digest. */
export function toDigestMessage(
  row: DigestRow,
  { possiblyRepeated, consoleUrl, allowedHosts }: DigestTelling,
): Message {
  const document = withLinks(documentSchema.parse(row.document), allowedHosts);
  const { priority, severity } = LOUDNESS[document.level];
  const link = consoleUrl === null ? null : safeLink(`${consoleUrl}/digests/${row.id}`);
  const key = `digest-${row.id}`;
  const short = toShortText(document);
  const body = possiblyRepeated ? `${short}\nPossibly repeated: an earlier attempt was not confirmed` : short;
  return {
    kind: 'due',
    title: `${LEVEL_EMOJI[document.level]} ${document.verdict}`,
    body,
    priority,
    severity,
    resolved: false,
    isDecision: false,
    link,
    button: null,
    runbookUrl: null,
    key,
    noticeKey: key,
    tags: ['kind=digest', `level=${document.level}`],
    facts: toFacts({
      kind: 'due',
      why: document.verdict,
      alertname: toHeading(document),
      severity,
      namespace: null,
      cluster: '',
      identity: document.span,
      category: null,
      nextStep: null,
      runbookUrl: null,
      summary: document.numbers,
      description: short,
      startedAt: row.window_start,
      endedAt: row.window_end,
      now: row.window_end,
      openEpisodes: 0,
      episodes: 0,
      samples: [],
      incidentKey: key,
      missing: [],
      possiblyRepeated,
      quiet: false,
      batch: null,
      decided: null,
      button: null,
      link,
    }),
    digest: { document, pageUrl: link },
  };
}

/** Runbooks come from alerts: only those stay that may be offered here. */
function withLinks(document: DigestDocument, allowedHosts: readonly string[] | undefined): DigestDocument {
  const sections = document.sections.map((section) => ({
    ...section,
    lines: section.lines.map(({ link, ...line }) => {
      const url = link === undefined ? null : safeLink(link.url, allowedHosts);
      return link === undefined || url === null ? line : { ...line, link: { ...link, url } };
    }),
  }));
  return { ...document, sections };
}
