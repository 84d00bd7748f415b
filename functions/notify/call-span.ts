/** The span of one call to a provider. */
import type { SpanStart } from '../../shared/trace.ts';
import type { Channel } from './channel.ts';

/** What it says: which channel, what it was asked for and which notice it is about; null when it is a digest. */
export function toCallSpan(
  what: 'send' | 'update',
  { name, type }: Pick<Channel, 'name' | 'type'>,
  notice: string | null,
): SpanStart {
  return {
    name: `${what} ${type}`,
    kind: 'client',
    attributes: { 'alertgest.channel': name, 'alertgest.notice': notice ?? undefined },
  };
}
