/** What computes here, honestly: a GPU's name, or that the processor plays one and is slow. */
import { Button, HoverCard, UnstyledButton } from '@mantine/core';
import { IconAlertTriangle, IconCpu } from '@tabler/icons-react';
import { useEffect } from 'react';
import { useRaces } from '../store/races.ts';
import { useTraining } from '../store/training.ts';
import type { DeviceReport } from '../worker/protocol.ts';
import classes from './GpuChip.module.css';

const backendNames: Record<DeviceReport['backend'], string> = {
  webgpu: 'WebGPU',
  webgl: 'WebGL',
  cpu: 'JavaScript',
};

export function GpuChip() {
  const device = useTraining((state) => state.device);
  const probe = useTraining((state) => state.probe);
  useEffect(() => probe(), [probe]);
  if (!device) return null;
  const slow = device.software || device.backend !== 'webgpu';
  return (
    <HoverCard width={320} shadow="md" position="bottom-end" openDelay={150} withinPortal>
      <HoverCard.Target>
        <UnstyledButton
          className={classes.chip}
          data-slow={slow || undefined}
          data-testid="gpu-chip"
          data-backend={device.backend}
          data-software={device.software}
        >
          {slow ? <IconAlertTriangle size={14} /> : <IconCpu size={14} />}
          <span className={classes.chipName}>{shortName(device.adapter)}</span>
          <span className={classes.chipNote}>
            {device.software ? 'software, slow' : backendNames[device.backend]}
          </span>
        </UnstyledButton>
      </HoverCard.Target>
      <HoverCard.Dropdown>
        <DeviceDetails device={device} />
      </HoverCard.Dropdown>
    </HoverCard>
  );
}

function DeviceDetails({ device }: { device: DeviceReport }) {
  const isTraining = useTraining((state) => state.live !== null);
  const isRacing = useRaces((state) => state.live !== null);
  const loseDevice = () => (isRacing ? useRaces : useTraining).getState().loseDevice();
  return (
    <div className={classes.device}>
      <strong>{device.adapter}</strong>
      <span className={classes.dim}>
        through {backendNames[device.backend]}
        {device.backend === 'webgpu' && ', which Boxwright’s own engine computes on'}
        {device.maxBufferSize > 0 &&
          `, buffers of up to ${Math.round(device.maxBufferSize / 2 ** 20).toLocaleString('en-US')} MiB`}
      </span>
      {device.note && <span>{device.note}</span>}
      {(isTraining || isRacing) && device.backend === 'webgpu' && (
        <>
          <span className={classes.dim}>
            A run survives a driver that stops: it goes on from its last checkpoint. You can see it happen.
          </span>
          <Button size="compact-xs" variant="default" data-testid="lose-device" onClick={loseDevice}>
            Stop the GPU now
          </Button>
        </>
      )}
    </div>
  );
}

/** Drivers write whole sentences: "ANGLE (NVIDIA, Vulkan 1.3 (NVIDIA GeForce RTX 3070...))". The part before a bracket names it. */
export function shortName(adapter: string): string {
  const before = adapter.split(' (')[0]!.trim();
  return before.length > 0 && before.length < 40 ? before : `${adapter.slice(0, 38)}…`;
}
