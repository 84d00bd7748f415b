/** Which channels a notice goes to. Pure. Without a routes file every configured channel gets what is loud enough. */
import type { NoticeKind } from '../../shared/postgres/notices.ts';
import type { Severity } from '../../shared/severity.ts';
import { compareSeverity } from '../../shared/severity.ts';

export interface RouteInput {
  readonly kind: NoticeKind;
  readonly severity: Severity;
}

/** The part of a channel that routing looks at. */
export interface Destination {
  readonly name: string;
  readonly sendResolved: boolean;
}

/** The channels to tell, or why nobody is. A critical or unknown severity always has a route. */
export function route(
  notice: RouteInput,
  channels: readonly Destination[],
  minSeverity: Severity,
): { channels: readonly string[]; why: string | null } {
  if (channels.length === 0) return { channels: [], why: 'no channel is configured' };
  const loudEnough = notice.severity === 'unknown' || compareSeverity(notice.severity, minSeverity) <= 0;
  if (!loudEnough)
    return { channels: [], why: `${notice.severity} is below NOTIFY_MIN_SEVERITY (${minSeverity})` };
  const wanted = notice.kind === 'resolved' ? channels.filter((channel) => channel.sendResolved) : channels;
  return {
    channels: wanted.map((channel) => channel.name),
    why: wanted.length === 0 ? 'no channel wants to hear that it is over' : null,
  };
}
