/**
 * Where a notice stands relative to one function's step. Running a step twice, in parallel or out of order changes
 * nothing: at its own result the event is emitted again, further on there is nothing to do, behind means "not yet".
 */
import type { CloudEvent } from 'cloudevents';
import { AppError, InvalidInputError } from './errors.ts';
import type { EventType } from './events.ts';
import { STAGE, readNotice } from './postgres/notices.ts';
import type { NoticeRow, NoticeStatus } from './postgres/notices.ts';
import type { Queryable } from './postgres/pool.ts';

/** Reads the notice an event is about. Only the id is taken from the event; 400 for other types and unknown ids. */
export async function readEventNotice(
  db: Queryable,
  event: CloudEvent<unknown>,
  accepted: readonly EventType[],
): Promise<NoticeRow> {
  if (!accepted.some((type) => type === event.type)) {
    throw new InvalidInputError(`this function takes ${accepted.join(', ')}, not ${event.type.slice(0, 80)}`);
  }
  const row = await readNotice(db, event.subject ?? '');
  if (row === undefined)
    throw new InvalidInputError("no notice has the id in the event's subject", 'unknown-id');
  return row;
}

/** Whether a step that leads from `from` may run on the notice now, was already done, or is past. Throws 409 when it comes too early. */
export function positionOf(row: NoticeRow, from: NoticeStatus): 'ready' | 'done' | 'past' {
  const distance = STAGE[row.status] - STAGE[from];
  if (distance < 0) throw new AppError('behind', `the notice is still ${row.status}`);
  if (distance === 0) return 'ready';
  return distance === 1 || from === 'classified' ? 'done' : 'past';
}
