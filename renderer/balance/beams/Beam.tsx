/** One class's balance, drawn: places come from `geometry.ts`, movement from CSS transitions between them. */
import { memo } from 'react';
import classes from './Beam.module.css';
import { beamGeometry, coarse, frame, type Rect, tiltOf } from './geometry.ts';
import type { BeamNumbers } from './share.ts';

/** Ids of the patterns that `BeamPatterns` defines once for the page. */
const hatchId = 'balance-hatch';
const dotsId = 'balance-dots';

interface BeamProps {
  readonly beam: BeamNumbers;
  /** The largest pan's loss over all beams shown together. */
  readonly heaviestPan: number;
  /** How it would stand under another loss; drawn behind it. */
  readonly ghost?: BeamNumbers | undefined;
  /** Drawn so small that thin lines would vanish. */
  readonly small?: boolean;
}

export const Beam = memo(function Beam({ beam, heaviestPan, ghost, small }: BeamProps) {
  const exact = beamGeometry(beam, heaviestPan);
  const geometry = small ? coarse(exact) : exact;
  const { pivot, arm, groundY } = frame;
  const resting = beam.foregroundShare === null;
  return (
    <svg
      className={classes.drawing}
      viewBox={`0 0 ${frame.width} ${frame.height}`}
      aria-hidden="true"
      data-resting={resting || undefined}
      data-small={small || undefined}
      data-beam={beam.name}
    >
      <path className={classes.stand} d={standPath()} />
      <ellipse className={classes.foot} cx={pivot.x} cy={groundY} rx={46} ry={3.5} />
      <g transform={`translate(${pivot.x} ${pivot.y})`}>
        {ghost && <GhostBeam ghost={ghost} />}
        <g className={classes.turning} style={{ transform: `rotate(${geometry.angleDeg}deg)` }}>
          <path className={classes.beam} d={beamPath()} />
          <Pan x={-arm} angleDeg={geometry.angleDeg} plateHalf={geometry.leftPlateHalf}>
            <Block rect={geometry.foreground} className={classes.foreground} pattern={hatchId} />
          </Pan>
          <Pan x={arm} angleDeg={geometry.angleDeg} plateHalf={geometry.rightPlateHalf}>
            <Block rect={geometry.backgroundTrue} className={classes.backgroundTrue} />
            <Block rect={geometry.backgroundOther} className={classes.backgroundOther} pattern={dotsId} />
          </Pan>
        </g>
        <circle className={classes.pivot} r={6.5} />
        <circle className={classes.pivotEye} r={2} />
      </g>
    </svg>
  );
});

/** The other loss's beam with its pans empty: what lay on them would be of another size altogether. */
function GhostBeam({ ghost }: { ghost: BeamNumbers }) {
  const angleDeg = tiltOf(ghost.foreground, ghost.background);
  return (
    <g className={classes.ghost} data-ghost-angle={angleDeg}>
      <g className={classes.turning} style={{ transform: `rotate(${angleDeg}deg)` }}>
        <path className={classes.beam} d={beamPath()} />
        <Pan x={-frame.arm} angleDeg={angleDeg} plateHalf={ghostPlateHalf} />
        <Pan x={frame.arm} angleDeg={angleDeg} plateHalf={ghostPlateHalf} />
      </g>
    </g>
  );
}

const ghostPlateHalf = 30;

interface PanProps {
  /** Where it hangs along the beam. */
  readonly x: number;
  /** The beam's angle, undone so that the pan stays level. */
  readonly angleDeg: number;
  readonly plateHalf: number;
  readonly children?: React.ReactNode;
}

function Pan({ x, angleDeg, plateHalf, children }: PanProps) {
  const { hang } = frame;
  return (
    <g transform={`translate(${x} 0)`}>
      <g className={classes.turning} style={{ transform: `rotate(${-angleDeg}deg)` }}>
        <path className={classes.strings} d={`M0 0L${-plateHalf} ${hang}M0 0L${plateHalf} ${hang}`} />
        {children}
        <path
          className={classes.plate}
          d={`M${-plateHalf - 3} ${hang}H${plateHalf + 3}Q${plateHalf - 4} ${hang + 8} 0 ${hang + 8}T${-plateHalf - 3} ${hang}Z`}
        />
        <circle className={classes.hook} r={3} />
      </g>
    </g>
  );
}

function Block({ rect, className, pattern }: { rect: Rect; className?: string; pattern?: string }) {
  const place = { x: `${rect.x}px`, y: `${rect.y}px`, width: `${rect.width}px`, height: `${rect.height}px` };
  return (
    <>
      <rect className={`${classes.block} ${className}`} style={place} />
      {pattern && <rect className={classes.block} style={place} fill={`url(#${pattern})`} />}
    </>
  );
}

/** A beam that is thicker at its pivot than at its ends. */
function beamPath(): string {
  const { arm } = frame;
  return `M${-arm} -2Q0 -8 ${arm} -2V2Q0 6 ${-arm} 2Z`;
}

function standPath(): string {
  const { pivot, groundY } = frame;
  return `M${pivot.x - 2.5} ${pivot.y}L${pivot.x - 5} ${groundY - 2}H${pivot.x + 5}L${pivot.x + 2.5} ${pivot.y}Z`;
}

/** The two patterns that tell the blocks apart without colour. Put once on the page, beside any number of beams. */
export function BeamPatterns() {
  return (
    <svg className={classes.defs} aria-hidden="true">
      <defs>
        <pattern
          id={hatchId}
          width="7"
          height="7"
          patternUnits="userSpaceOnUse"
          patternTransform="rotate(45)"
        >
          <line className={classes.patternInk} x1="0" y1="0" x2="0" y2="7" strokeWidth="2.4" />
        </pattern>
        <pattern id={dotsId} width="6" height="6" patternUnits="userSpaceOnUse">
          <circle className={classes.patternDot} cx="3" cy="3" r="1.35" />
        </pattern>
      </defs>
    </svg>
  );
}
