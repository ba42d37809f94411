/** What is known of exported weights: the facts a model card is written from. Whatever is not known is null, and left out of the text. */

/** Images and labels of one side of the data. */
export interface DataCounts {
  readonly images: number;
  readonly boxes: number;
  /** Images somebody has reviewed that hold none of the classes. */
  readonly negatives: number;
  /** In the order of the classes. */
  readonly boxesPerClass: readonly number[];
}

export interface DataFacts {
  /** `run`: exactly what the run learnt from; `export`: counted when the weights were exported, the data have changed since. */
  readonly countedAt: 'run' | 'export';
  readonly train: DataCounts;
  readonly validation: DataCounts;
}

export interface MetricFacts {
  readonly step: number;
  /** Validation images that were measured. */
  readonly images: number;
  readonly AP: number | null;
  readonly AP50: number | null;
  /** AP by class name. */
  readonly perClass: Readonly<Record<string, number | null>>;
}

export interface ModelCardFacts {
  /** What people call it: the run's name, or the file the weights came from. */
  readonly name: string;
  /** A name for every column of the logits. */
  readonly classes: readonly string[] | null;
  readonly data: DataFacts | null;
  /** The run's config, as its checkpoint has it: `minSizePx` and `maxSizePx` decide how images are scaled. */
  readonly config: Readonly<Record<string, unknown>> | null;
  /** Training steps behind the weights. */
  readonly step: number | null;
  /** Seconds of training behind them. */
  readonly seconds: number | null;
  /** What trained them. */
  readonly adapter: string | null;
  readonly metrics: MetricFacts | null;
  /** Of Boxwright. */
  readonly version: string;
  /** ISO 8601, of the export. */
  readonly date: string;
}
