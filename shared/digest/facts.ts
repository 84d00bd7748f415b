/**
 * The facts of a night: every number, name, time and link that a digest may say, computed before any word is written.
 * The invariant: the groups and the heartbeats add up to the totals, and the totals to what is stored.
 */
import type { EpisodeCounts } from '../postgres/episodes.ts';
import type { EarlierIssue, Quietened, Wake } from '../postgres/digest-around.ts';
import type { Severity } from '../severity.ts';

/** A label set or a pattern that fired this often in one night came and went. */
export const FLAPS = 3;
/** Nights that "likely to come back" looks at, tonight among them. */
export const WEEK = 7;

export interface Span {
  readonly start: Date;
  readonly end: Date;
}

/** Sums of alerts. */
export interface Sums {
  readonly episodes: number;
  readonly firing: number;
  readonly resolved: number;
}

/** An issue as a group or a list names it. */
export interface IssueFact {
  readonly pattern: string;
  readonly title: string;
  readonly episodes: number;
  readonly firing: number;
  /** How often it came: of its label sets the most frequent, or the issue as a whole, whichever is more. */
  readonly flaps: number;
}

/** The alerts of one name, severity and namespace. */
export interface Group extends Sums {
  readonly id: string;
  readonly alertname: string;
  readonly severity: Severity;
  readonly namespace: string | null;
  readonly category: string | null;
  /** Ended without a resolve: unseen for too long, or begun anew. */
  readonly lost: number;
  readonly firstSeen: Date;
  readonly lastStart: Date;
  readonly lastSeen: Date;
  /** Since when the oldest of those that fire does; null when none does. */
  readonly firingSince: Date | null;
  /** Of all of them together. */
  readonly minutes: number;
  readonly series: number;
  readonly issues: number;
  /** Affected pods; null when nobody counted them or the alerts name none. */
  readonly pods: number | null;
  readonly flapping: boolean;
  /** The issue that came and went most. */
  readonly flapper: IssueFact | null;
  /** Issues with most of it, firing ones first. */
  readonly samples: readonly IssueFact[];
  /** The longest life that ended by itself, in minutes. */
  readonly longest: number | null;
  readonly runbook: string | null;
  readonly nextStep: string | null;
  readonly common: Readonly<Record<string, string>>;
  /** Nights of the last seven with it, tonight among them. */
  readonly nights: number;
  /** Nights in a row up to tonight. */
  readonly running: number;
  /** Issues seen for the first time ever. */
  readonly fresh: number;
  /** Known for two weeks and seen in none of the nights before. */
  readonly usuallyQuiet: boolean;
}

/** What the cluster says beside the alerts, and what of it could not be read. */
export interface ClusterContext {
  readonly rollouts: ReadonlyArray<{
    readonly namespace: string;
    readonly name: string;
    readonly at: Date;
    readonly replicas: string | null;
    readonly images: string | null;
  }>;
  readonly pods: ReadonlyArray<{
    readonly namespace: string;
    readonly name: string;
    readonly workload: string;
    readonly status: string;
    readonly restarts: number;
    readonly lastReason: string | null;
  }>;
  readonly nodes: readonly string[];
  readonly busyPods: readonly string[];
  readonly events: ReadonlyArray<{
    readonly reason: string;
    readonly count: number;
    readonly object: string;
  }>;
  readonly absent: readonly string[];
}

/** Alerts that began within two hours after a rollout of their own workload. */
export interface Correlation {
  readonly alertname: string;
  readonly namespace: string;
  readonly workload: string;
  readonly at: Date;
  readonly images: string | null;
  readonly within: number;
  readonly total: number;
  /** The first of them after the rollout, in minutes. */
  readonly afterMinutes: number;
}

/** What never arrived whole. */
export interface Lost {
  readonly truncated: number;
  readonly rejected: number;
  readonly rejections: readonly string[];
  /** Alerts that Prometheus saw firing and nobody sent; null when it was not asked. */
  readonly missed: { readonly total: number; readonly shown: readonly string[] } | null;
  /** Why Prometheus was not asked or did not answer. */
  readonly missedWhy: string | null;
}

export interface NightFacts {
  readonly name: string;
  readonly zone: string;
  readonly windows: readonly Span[];
  readonly from: Date;
  readonly to: Date;
  readonly counts: EpisodeCounts & {
    readonly byNamespace: Readonly<Record<string, Sums>>;
    readonly byCategory: Readonly<Record<string, Sums>>;
  };
  readonly heartbeats: Sums;
  readonly groups: readonly Group[];
  readonly earlier: readonly EarlierIssue[];
  readonly wakes: { readonly total: number; readonly shown: readonly Wake[] };
  readonly quietened: readonly Quietened[];
  readonly fresh: readonly IssueFact[];
  readonly returning: ReadonlyArray<IssueFact & { readonly severity: Severity; readonly nights: number }>;
  /** Nodes with alerts of three or more names. */
  readonly nodes: ReadonlyArray<{ readonly node: string; readonly alerts: number; readonly types: number }>;
  readonly cluster: ClusterContext | null;
  readonly correlations: readonly Correlation[];
  readonly compare: {
    readonly nights: number;
    readonly median: number | null;
    readonly lastWeek: number | null;
  };
  readonly lost: Lost;
  /** Alerts of the hours between the windows. */
  readonly between: number;
}
