/** The paper's figure 4 on the user's own images: do a few hard examples carry the loss, or the many easy ones? */
import { type ReactNode, useMemo } from 'react';
import { concentrationChart, concentrationWords } from '../../../shared/charts/figures/concentration.ts';
import { ChartFrame } from '../charts/ChartFrame.tsx';
import { backgroundSides, type ClassChoice, curveGamma, type Evidence, sliceOfClass } from '../evidence.ts';
import lab from '../Lab.module.css';
import { concentrationSentence } from './readOut.ts';

interface ConcentrationBoardProps {
  readonly evidence: Evidence;
  readonly className: ClassChoice;
  /** What chooses the class and what is counted. */
  readonly controls: ReactNode;
  /** Without ending. */
  readonly fileName: string;
}

export function ConcentrationBoard({ evidence, className, controls, fileName }: ConcentrationBoardProps) {
  const { chart, sentence } = useMemo(() => read(evidence, className), [evidence, className]);
  return (
    <ChartFrame
      chart={chart}
      name="concentration"
      level={2}
      {...concentrationWords}
      fileName={fileName}
      lead={
        <>
          {controls}
          <p className={lab.sentence} data-testid="concentration-sentence">
            {sentence}
          </p>
        </>
      }
    />
  );
}

function read(evidence: Evidence, className: ClassChoice) {
  const gamma = curveGamma(evidence.loss);
  const foreground = sliceOfClass(evidence, className, ['foreground']);
  const background = sliceOfClass(evidence, className, backgroundSides);
  const caption = [className ?? 'All classes', evidence.caption].join('. ');
  return {
    chart: concentrationChart({ foreground, background, pickedGamma: gamma, caption }),
    sentence: concentrationSentence(background, gamma),
  };
}
