/** The links of a message as buttons, for channels that have some, and where links may lead. Pure. */
import type { Message } from './message.ts';

/** A button that opens a page. */
export interface Link {
  readonly label: string;
  readonly url: string;
}

/** The most wanted first: to decide, to the issue, to the runbook; no page twice. */
export function toLinks({ button, link, runbookUrl, digest }: Message): readonly Link[] {
  const links: readonly (Link | null)[] = [
    button && { label: button.act === null ? 'Details' : `${button.label}…`, url: button.pageUrl },
    link === null ? null : { label: digest === undefined ? 'Open the issue' : 'Open the digest', url: link },
    runbookUrl === null ? null : { label: 'Runbook', url: runbookUrl },
  ];
  const present = links.filter((one) => one !== null);
  return present.filter(({ url }, index) => present.findIndex((other) => other.url === url) === index);
}

/** The text without the runbook's address, for channels that offer it as a button and escape everything else. */
export function toProse({ body, runbookUrl }: Message): string {
  return body
    .split('\n')
    .filter((line) => runbookUrl === null || line !== `Runbook: ${runbookUrl}`)
    .join('\n');
}

/** The hosts that links of alerts may lead to: those of the list and the console's own; none means every host. */
export function toAllowedHosts(listed: readonly string[], consoleUrl: string | null): readonly string[] {
  const own = consoleUrl === null ? null : URL.parse(consoleUrl);
  return listed.length === 0 || own === null ? listed : [...listed, own.hostname];
}
