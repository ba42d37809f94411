/** What the project screen shows about an open project. */
export interface ProjectSummary {
  readonly name: string;
  /** Absolute path of the project folder, for display. */
  readonly path: string;
  readonly imageCount: number;
  readonly labelCount: number;
  readonly proposalCount: number;
  readonly countByState: Readonly<
    Record<'unlabelled' | 'in-progress' | 'reviewed' | 'reviewed-empty', number>
  >;
  readonly missingCount: number;
  /** The built-in sample project. */
  readonly isSample: boolean;
}

export const runStatuses = ['running', 'paused', 'stopped', 'done', 'failed', 'interrupted'] as const;
