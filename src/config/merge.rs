//! Merging: from layers, lowest first, to one tree that knows which layer set each of its values.
//!
//! Blocks merge key by key. The one exception is `tickers.overrides`, which a file replaces as a
//! whole: whoever lists tickers of their own does not expect two more.

use std::collections::BTreeMap;

use serde_yaml::{Mapping, Value};

use super::layer::Layer;

/// The merged tree, and for each value the index of the layer that set it.
#[derive(Clone, Debug)]
pub(super) struct Merged {
    pub tree: Value,
    pub set_by: BTreeMap<Vec<String>, usize>,
}

pub(super) fn merge(layers: &[Layer]) -> Merged {
    let mut merge = Merge {
        set_by: BTreeMap::new(),
        layer: 0,
        replaces_overrides: false,
    };
    let mut tree = Value::Mapping(Mapping::new());
    for (at, layer) in layers.iter().enumerate() {
        merge.layer = at;
        merge.replaces_overrides = layer.replaces_overrides;
        merge.lay_over(&mut tree, &layer.tree, &mut Vec::new());
    }
    Merged {
        tree,
        set_by: merge.set_by,
    }
}

struct Merge {
    set_by: BTreeMap<Vec<String>, usize>,
    layer: usize,
    replaces_overrides: bool,
}

impl Merge {
    fn lay_over(&mut self, base: &mut Value, over: &Value, path: &mut Vec<String>) {
        let Value::Mapping(block) = over else {
            *base = over.clone();
            self.set_by.insert(path.clone(), self.layer);
            return;
        };
        if self.replaces_overrides && path.iter().eq(["tickers", "overrides"]) {
            self.set_by.retain(|key, _| !key.starts_with(path));
            *base = Value::Null;
        }
        if !base.is_mapping() {
            *base = Value::Mapping(Mapping::new());
        }
        for (key, value) in block {
            path.push(
                key.as_str()
                    .expect("raw blocks have nothing but text keys")
                    .to_owned(),
            );
            let child = base
                .as_mapping_mut()
                .expect("made a mapping above")
                .entry(key.clone());
            self.lay_over(child.or_insert(Value::Null), value, path);
            path.pop();
        }
    }
}

/// The value at `path`, when there is one.
pub(super) fn at<'a>(tree: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter()
        .try_fold(tree, |block, key| block.as_mapping()?.get(*key))
}
