/** What the pages' forms do: record a decision, send a delivery again. Each answers with words for the page. */
import type { CloudEvent } from 'cloudevents';
import * as z from 'zod';
import type { EventSource } from '../../../shared/events.ts';
import type { Logger } from '../../../shared/log.ts';
import { createNoticeEvent, toNoticeData } from '../../../shared/notice-event.ts';
import { DECISION_KINDS } from '../../../shared/postgres/decisions.ts';
import type { IssueLine } from '../../../shared/postgres/issues.ts';
import { transaction } from '../../../shared/postgres/pool.ts';
import type { Pool } from '../../../shared/postgres/pool.ts';
import { resendDelivery } from '../../../shared/postgres/resend.ts';
import type { Publisher } from '../../../shared/publish.ts';
import { recordDecision } from '../decision.ts';
import { TERMS, endOf } from '../terms.ts';

/** Kinds that keep an issue from being told. */
const HIDING: ReadonlySet<string> = new Set(['ignore', 'snooze', 'digest']);
/** Kinds that have no end of their own. */
const ENDLESS: ReadonlySet<string> = new Set(['note', 'revoke']);

/** The decision form as it is posted. */
export const decisionFormSchema = z.object({
  act: z.enum(['decide', 'try']).catch('decide'),
  kind: z.enum(DECISION_KINDS),
  for: z.enum(TERMS).catch('until-it-changes'),
  note: z
    .string()
    .transform((text) => text.replaceAll('\0', '').trim())
    .pipe(z.string().max(1_000))
    .catch(''),
});
export type DecisionInput = z.infer<typeof decisionFormSchema>;

/** Why a decision may not be made like this, or null. */
export function findProblem(issue: Pick<IssueLine, 'severity'>, input: DecisionInput): string | null {
  if (issue.severity === 'critical' && HIDING.has(input.kind) && input.note === '')
    return 'a critical issue is only silenced with a note that says why.';
  if (input.kind === 'snooze' && input.for === 'until-it-changes') return 'a snooze needs a time.';
  if (input.kind === 'note' && input.note === '') return 'the note is empty.';
  return null;
}

/** When the decision is over; null when it is taken back by hand. */
export function untilOf(input: DecisionInput, now: Date): Date | null {
  return ENDLESS.has(input.kind) ? null : endOf(input.for, now);
}

/** Stores the decision. */
export async function storeDecision(
  { pool, log }: { pool: Pool; log: Logger },
  issue: IssueLine,
  input: DecisionInput,
  { actor, now }: { actor: string; now: Date },
): Promise<void> {
  const until = untilOf(input, now);
  await transaction(pool, (client) =>
    recordDecision(
      client,
      issue.pattern,
      { kind: input.kind, until, note: input.note === '' ? null : input.note, actor },
      null,
    ),
  );
  log.info({ pattern: issue.pattern, decision: input.kind, until, by: actor }, 'decision recorded');
}

/** Plans a delivery for now and rings for it; answers what happened in words. */
export async function resend(
  { pool, publisher, source, log }: { pool: Pool; publisher: Publisher; source: EventSource; log: Logger },
  id: string,
): Promise<string> {
  const notice = await resendDelivery(pool, id);
  if (notice === undefined)
    return 'There was nothing to send again: it was sent meanwhile, or is being sent.';
  const event: CloudEvent<unknown> = createNoticeEvent(
    'dev.alertgest.delivery.due',
    source,
    toNoticeData(notice),
    notice.traceparent,
  );
  // A person may ask again: another press is another event.
  const failed = await publisher.publish([event.cloneWith({ id: `${event.id}.${crypto.randomUUID()}` })]);
  log.info({ notice: notice.id, delivery: id }, 'delivery is sent again');
  return failed.length === 0
    ? 'It is being sent again.'
    : 'It is planned for now; the broker did not answer, so it goes out with the next sweep.';
}
