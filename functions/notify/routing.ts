/** Which channels a piece of news goes to. Pure. Without a routes file every configured channel gets what is loud enough. */
import type { DeliveryPlan } from '../../shared/postgres/deliveries.ts';
import type { NoticeKind } from '../../shared/postgres/notices.ts';
import type { Severity } from '../../shared/severity.ts';
import { compareSeverity } from '../../shared/severity.ts';

/** Label names and values, as matchers see them. */
export type Labels = Readonly<Record<string, string>>;

/** A piece of news as routing looks at it. */
export interface News {
  readonly kind: NoticeKind;
  readonly severity: Severity;
  /** It tells of a decision that somebody made. */
  readonly isDecision: boolean;
  /** The incident is over by now. */
  readonly isOver: boolean;
  /** The labels it is about: one set, or one for each incident that it sums up. */
  readonly labels: readonly Labels[];
  readonly at: Date;
  /** Channels that were told of the incident. */
  readonly told: ReadonlySet<string>;
  /** Those of them that only know it from a summary, which is about others too. */
  readonly toldInSummary: ReadonlySet<string>;
  /** The channels that an escalation asks for, when it is one. */
  readonly escalation: readonly string[] | null;
}

/** Somebody else to tell when nobody acknowledged an incident. */
export interface EscalationPlan {
  /** Names the route, so that each escalates an incident once. */
  readonly step: string;
  readonly afterMs: number;
  readonly channels: readonly string[];
}

/** Who is told, or why nobody is; and who else later. */
export interface Routed {
  readonly deliveries: readonly DeliveryPlan[];
  readonly escalations: readonly EscalationPlan[];
  /** Why nobody is told; null when somebody is. */
  readonly why: string | null;
  /** What the message says about how it was routed. */
  readonly notes?: readonly string[];
}

/** The part of a channel that routing looks at. */
export interface Destination {
  readonly name: string;
  readonly sendResolved: boolean;
  readonly closes: boolean;
}

/** Finds the channels of news that is neither an end nor an escalation. */
export interface Router {
  /** Whether it looks at labels. */
  readonly byLabels: boolean;
  route(news: News): Routed;
  /** The pushes of a channel are silent for a severity at a time. */
  isQuiet(channel: string, severity: Severity, at: Date): boolean;
}

/** Routes a piece of news. An end goes to those that were told of the beginning and want to hear or have something to close. */
export function route(news: News, channels: readonly Destination[], router: Router): Routed {
  if (channels.length === 0) return nobody('no channel is configured');
  if (news.kind === 'resolved') return routeEnd(news, channels);
  const routed =
    news.escalation === null ? router.route(news) : routeEscalation(news, news.escalation, channels, router);
  // It is news after its end, which waits for the beginning only: nobody would ever close what it opens.
  const isLate = news.kind !== 'opened' && news.isOver;
  return news.isDecision || isLate ? withoutOpening(routed, news, channels) : routed;
}

/** The router without a routes file: every channel, for what is at least as loud as `minSeverity`; an unknown severity is. */
export function createPlainRouter(channels: readonly Destination[], minSeverity: Severity): Router {
  return {
    byLabels: false,
    isQuiet: () => false,
    route({ severity }) {
      const loudEnough = severity === 'unknown' || compareSeverity(severity, minSeverity) <= 0;
      return loudEnough
        ? { deliveries: channels.map(({ name }) => ({ channel: name })), escalations: [], why: null }
        : nobody(`${severity} is below NOTIFY_MIN_SEVERITY (${minSeverity})`);
    },
  };
}

/** Nobody is told, and why. */
export function nobody(why: string): Routed {
  return { deliveries: [], escalations: [], why };
}

function routeEnd({ told, toldInSummary }: News, channels: readonly Destination[]): Routed {
  const wanted = channels.filter(
    ({ name, sendResolved, closes }) =>
      told.has(name) && (closes || (sendResolved && !toldInSummary.has(name))),
  );
  return wanted.length === 0
    ? nobody('no channel that was told wants to hear that it is over')
    : { deliveries: wanted.map(({ name }) => ({ channel: name })), escalations: [], why: null };
}

/** Somebody has to hear that nobody answered: where its channels are gone, those that the routes name now. */
function routeEscalation(
  news: News,
  names: readonly string[],
  channels: readonly Destination[],
  router: Router,
): Routed {
  const known = names.filter((name) => channels.some((channel) => channel.name === name));
  if (known.length === 0) {
    const routed = router.route(news);
    const note = `the escalation's channels are no longer configured: ${names.join(', ')}`;
    return { ...routed, escalations: [], notes: [...(routed.notes ?? []), note] };
  }
  return {
    deliveries: known.map((channel) => ({ channel, quiet: router.isQuiet(channel, news.severity, news.at) })),
    escalations: [],
    why: null,
  };
}

/** Opens nothing: a provider that keeps things open hears of a decision on what it was told, and of nothing else. */
function withoutOpening(
  routed: Routed,
  { told, isDecision }: News,
  channels: readonly Destination[],
): Routed {
  const openers = channels.filter(({ closes }) => closes).map(({ name }) => name);
  const deliveries = [
    ...routed.deliveries.filter(({ channel }) => !openers.includes(channel)),
    ...openers.filter((name) => isDecision && told.has(name)).map((channel) => ({ channel })),
  ];
  return deliveries.length === 0
    ? nobody(routed.why ?? 'its channels only take incidents that are open')
    : { deliveries, escalations: [], why: null };
}
