/** The event that says what became of an explanation; the same outcome of the same notice is the same event. */
import type { CloudEvent } from 'cloudevents';
import { createEvent } from '../../shared/events.ts';
import type { EventSource, Explained } from '../../shared/events.ts';
import type { ExplanationContent } from '../../shared/postgres/explanations.ts';

export interface Outcome {
  readonly notice: string;
  readonly pattern: string;
  readonly source: Explained['source'];
  readonly why: string | null;
  readonly model: string | null;
  readonly content: ExplanationContent | null;
}

/** Makes the event of an outcome. */
export function createExplainedEvent(
  source: EventSource,
  { notice, pattern, source: origin, why, model, content }: Outcome,
  traceparent = '',
): CloudEvent<unknown> {
  const data: Explained = {
    notice,
    pattern,
    source: origin,
    why,
    model,
    category: content?.category ?? null,
    suggestedSeverity: content?.suggestedSeverity ?? null,
    summary: content?.summary ?? null,
    explanation: content?.explanation ?? null,
    nextStep: content?.nextStep ?? null,
    confidence: content?.confidence ?? null,
  };
  const step = content === null ? `unexplained-${why ?? 'unknown'}` : 'explained';
  return createEvent('dev.alertgest.pattern.explained', source, notice, step, data, {
    pattern,
    partitionkey: pattern,
    traceparent,
  });
}
