/** Builders for notify's inputs, with overrides. */
import { toMessage } from '../../functions/notify/message.ts';
import type { DecisionButton, Message, MessageInput } from '../../functions/notify/message.ts';

/** A critical incident of three alerts that began four minutes ago. */
export function makeMessageInput(overrides: Partial<MessageInput> = {}): MessageInput {
  return {
    kind: 'opened',
    why: 'first alert of this incident',
    alertname: 'HighMemoryUsage',
    severity: 'critical',
    namespace: 'production',
    cluster: 'home',
    identity: 'production/api-server',
    category: 'workload',
    nextStep: 'check for a leak since the last rollout',
    runbookUrl: 'https://runbooks.example.org/memory',
    summary: 'Memory usage above 90%',
    description: 'Pod production/api-server-7d9f8c6b5-abcde is at 94% for 5 minutes.',
    startedAt: new Date('2024-01-15T02:30:00Z'),
    endedAt: null,
    now: new Date('2024-01-15T02:34:10Z'),
    openEpisodes: 3,
    episodes: 3,
    samples: ['api-server-7d9f8c6b5-abcde', 'api-server-7d9f8c6b5-fghij'],
    incidentKey: 'ag-0123456789abcdef',
    noticeKey: 'notice-1',
    missing: [],
    possiblyRepeated: false,
    quiet: false,
    batch: null,
    decided: null,
    button: null,
    link: 'https://alertgest.example.org/issues/1',
    ...overrides,
  };
}

/** A finished message; `overrides` change what is in it, `input` what it is made of. */
export function makeMessage(overrides: Partial<Message> = {}, input: Partial<MessageInput> = {}): Message {
  return { ...toMessage(makeMessageInput(input)), ...overrides };
}

/** The way to decide as notify makes it: the token is as long as a real one. */
export function makeButton(overrides: Partial<DecisionButton> = {}): DecisionButton {
  const token = `v1.${'i'.repeat(22)}.${'m'.repeat(22)}`;
  return {
    label: 'Not concerning',
    pageUrl: `https://alertgest.example.org/d/${token}`,
    act: { url: 'https://alertgest.example.org/d', token },
    ...overrides,
  };
}
