/** event: prints a ready CloudEvent of a type, to be piped into curl; or the catalogue of types. */
import { EVENTS, isEventType } from '../shared/events.ts';
import type { FunctionName } from '../shared/events.ts';
import { defineCommand, readUrl, UsageError } from './command.ts';
import { sampleEvent } from './sample-events.ts';

export const command = defineCommand({
  help: `
event [TYPE]: prints a structured CloudEvent of the type with hand-made data, as "?dry_run" of the function that takes it
wants it, and on stderr the curl line to send it with. Without a type: the catalogue of types.

  --url URL   the gateway in the curl line (default http://127.0.0.1:8080)

Example:
  npm run --silent alertgest -- event dev.alertgest.notice.received \\
    | curl 'http://127.0.0.1:8080/functions/classify?dry_run' -H 'content-type: application/cloudevents+json' -d @- -i`,
  flags: { url: { type: 'string', default: 'http://127.0.0.1:8080' } },
  words: ['[TYPE]'],
  async run({ url }, [type]) {
    const base = readUrl('--url', url);
    if (type === undefined) process.stdout.write(`${toCatalogue()}\n`);
    else {
      if (!isEventType(type)) throw new UsageError(`there is no type "${type}"; "event" alone lists them`);
      const { event, consumer } = sampleEvent(type, new Date());
      process.stdout.write(`${JSON.stringify(event, null, 2)}\n`);
      process.stderr.write(
        consumer === null
          ? 'No function takes this type; it tells the outside.\n'
          : `Send it: … | curl '${base}/functions/${consumer}?dry_run' -H 'content-type: application/cloudevents+json' -d @- -i\n`,
      );
    }
    return 0;
  },
});

/** One line of who and whom and one of meaning for every type. */
export function toCatalogue(): string {
  return Object.entries(EVENTS)
    .map(([type, entry]) => {
      const { meaning, emittedBy, consumedBy }: Way & { meaning: string } = entry;
      const from = emittedBy.join(', ') || 'PingSource';
      return `${type}\n  ${from} → ${consumedBy.join(', ') || 'the outside'}\n  ${meaning}`;
    })
    .join('\n');
}

interface Way {
  readonly emittedBy: readonly FunctionName[];
  readonly consumedBy: readonly FunctionName[];
}
