//! What processor this is.

use sysinfo::{CpuRefreshKind, RefreshKind, System};

/// Read once for each asker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cpu {
    /// As the kernel or the device tree names it; empty where neither does.
    pub model: String,
    /// Processors that programs run on.
    pub logical: usize,
    pub cores: usize,
}

impl Cpu {
    /// Blocks, for some reads of `/proc`.
    pub fn read() -> Self {
        let system = System::new_with_specifics(RefreshKind::nothing().with_cpu(CpuRefreshKind::nothing()));
        let logical = system.cpus().len().max(1);
        let brand = system.cpus().first().map(|cpu| cpu.brand().trim().to_owned()).unwrap_or_default();
        let model = if brand.is_empty() { board() } else { brand };
        Self { model, logical, cores: System::physical_core_count().unwrap_or(logical) }
    }
}

fn board() -> String {
    let model = std::fs::read_to_string("/proc/device-tree/model").unwrap_or_default();
    model.trim_end_matches('\0').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_processor() {
        let cpu = Cpu::read();
        assert!((1..=cpu.logical).contains(&cpu.cores), "{cpu:?}");
    }
}
