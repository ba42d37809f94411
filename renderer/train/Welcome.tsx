/** Before the first run: the same beams at rest, and what they will tell. */
import { BalanceBoard } from '../balance/beams/BalanceBoard.tsx';
import { restingBeam } from '../balance/beams/share.ts';
import { useProject } from '../store/project.ts';
import { smoothingSteps } from '../store/runHistory.ts';
import { useDraft } from './draft.ts';
import classes from './RunView.module.css';

export function Welcome() {
  const projectClasses = useProject((state) => state.classes);
  const { loss, alpha, gamma } = useDraft((state) => state.draft);
  return (
    <div className={classes.welcome}>
      <p className={classes.welcomeText}>
        Press <strong>Start training</strong>. From the first step on, every class shows which side its loss
        comes from: the few anchors that lie on its objects, or the tens of thousands that do not.
      </p>
      {projectClasses.length > 0 && (
        <BalanceBoard
          beams={projectClasses.map(({ name, color }) => restingBeam(name, color))}
          classification={null}
          lastStep={0}
          cursorStep={null}
          windowSteps={smoothingSteps}
          loss={{ strategy: loss, alpha, gamma }}
          caption="nothing yet: the beams are at rest until the first step"
        />
      )}
    </div>
  );
}
