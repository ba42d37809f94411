/** What the series of a panel say where the crosshair stands. */
import { dashOf, strokeOf, type Theme } from '../../../shared/charts/inks.ts';
import classes from './ChartView.module.css';
import type { ReadCard } from './crosshair.ts';

export function ReadoutCard({ card, theme }: { card: ReadCard; theme: Theme }) {
  const place = { left: card.leftPx, top: card.topPx, width: card.widthPx };
  return (
    <div className={classes.card} style={place} data-testid="chart-readout">
      <div className={classes.cardTitle}>{card.title}</div>
      <table>
        <tbody>
          {card.values.map(({ name, ink, series, text }) => (
            <tr key={`${name}|${ink}`}>
              <td>
                <svg width="18" height="8" aria-hidden="true">
                  <path
                    d="M0 4h18"
                    strokeWidth={
                      series.shape === 'bars' || series.shape === 'points' ? 8 : series.strong ? 3 : 2
                    }
                    stroke={strokeOf(ink, theme)}
                    strokeDasharray={series.shape === 'line' ? (dashOf(series) ?? undefined) : undefined}
                    opacity={series.ghost ? 0.5 : 1}
                  />
                </svg>
              </td>
              <td className={classes.cardName}>{name}</td>
              <td className={classes.cardValue}>{text}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {card.more > 0 && <div className={classes.cardMore}>and {card.more} more</div>}
    </div>
  );
}
