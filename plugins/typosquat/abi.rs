// SPDX-License-Identifier: Apache-2.0
//! streamd_plugin.h in Rust, as far as this plugin needs it: same order, same layout. Members that
//! the plugin never touches are pointers without a type. The offsets are checked in its test.
use std::ffi::c_void;

pub const OK: i32 = 0;
pub const FAILED: i32 = -2;
pub const INT: u32 = 3;
pub const STRING: u32 = 5;
pub const LIST: u32 = 13;
pub const FIELD_INT: u32 = 3;
pub const FIELD_STRINGS: u32 = 7;
pub const FIELD_CHOICE: u32 = 8;
pub const FIELD_COLUMN: u32 = 9;
pub const FIELD_REQUIRED: u32 = 1;
const ABI: u32 = 1;

/// A pointer to a table of static life, which may be shared.
#[repr(transparent)]
pub struct Ref<T: 'static>(pub &'static T);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct View {
    data: *const u8,
    size: usize,
}
// Views in tables point to texts of static life.
unsafe impl Sync for View {}

impl View {
    pub const NONE: View = View { data: std::ptr::null(), size: 0 };
    pub const fn of(text: &str) -> View {
        View { data: text.as_ptr(), size: text.len() }
    }
}

#[repr(C)]
#[derive(Clone, Copy)]
union As {
    i: i64,
    s: *const u8,
    items: *const Value,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Value {
    kind: u32,
    size: u32,
    value: As,
}

impl Value {
    pub fn int(number: i64) -> Value {
        Value { kind: INT, size: 0, value: As { i: number } }
    }
    pub fn string(bytes: *const u8, size: usize) -> Value {
        Value { kind: STRING, size: size as u32, value: As { s: bytes } }
    }
    pub fn integer(&self) -> Option<i64> {
        // SAFETY: `kind` says which member is set.
        (self.kind == INT).then(|| unsafe { self.value.i })
    }
    pub fn text(&self) -> Option<&str> {
        if self.kind != STRING {
            return None;
        }
        if self.size == 0 {
            return Some("");
        }
        // SAFETY: lent by the engine for this call.
        let bytes = unsafe { std::slice::from_raw_parts(self.value.s, self.size as usize) };
        std::str::from_utf8(bytes).ok()
    }
    pub fn items(&self) -> &[Value] {
        if self.kind != LIST || self.size == 0 {
            return &[];
        }
        // SAFETY: as above.
        unsafe { std::slice::from_raw_parts(self.value.items, self.size as usize) }
    }
}

#[repr(C)]
pub struct Field {
    pub size: u32,
    pub kind: u32,
    pub flags: u32,
    pub choice_count: u32,
    pub name: View,
    pub help: View,
    pub fallback: View,
    pub example: View,
    pub choices: *const View,
    pub least: i64,
    pub most: i64,
}
unsafe impl Sync for Field {}

impl Field {
    pub const NONE: Field = Field {
        size: std::mem::size_of::<Field>() as u32,
        kind: 0,
        flags: 0,
        choice_count: 0,
        name: View::NONE,
        help: View::NONE,
        fallback: View::NONE,
        example: View::NONE,
        choices: std::ptr::null(),
        least: 0,
        most: 0,
    };
}

#[repr(C)]
pub struct Spec {
    pub size: u32,
    pub field_count: u32,
    pub kind: View,
    pub summary: View,
    pub details: View,
    pub promise: View,
    pub example_title: View,
    pub example: View,
    pub fields: *const Ref<Field>,
}
unsafe impl Sync for Spec {}

impl Spec {
    pub const NONE: Spec = Spec {
        size: std::mem::size_of::<Spec>() as u32,
        field_count: 0,
        kind: View::NONE,
        summary: View::NONE,
        details: View::NONE,
        promise: View::NONE,
        example_title: View::NONE,
        example: View::NONE,
        fields: std::ptr::null(),
    };
}

#[repr(C)]
pub struct Output {
    size: u32,
    kind: u32,
    name: View,
    name_field: i32,
    reserved: u32,
}

impl Output {
    pub const fn new(kind: u32, name: &str) -> Output {
        Output {
            size: std::mem::size_of::<Output>() as u32,
            kind,
            name: View::of(name),
            name_field: -1,
            reserved: 0,
        }
    }
}

#[repr(C)]
pub struct Batch {
    pub size: u32,
    pub column_count: u32,
    pub rows: usize,
    pub entries: usize,
    pub index: *const u32,
    pub columns: *const *const Value,
    // times, positions, keys, origin, partition, engine: not used here.
}

/// Up to the last call that this plugin makes; tables of later engines are longer.
#[repr(C)]
pub struct Host {
    pub size: u32,
    pub abi: u32,
    pub log: *const c_void,
    pub fail: extern "C" fn(*mut c_void, View, View),
    pub node: *const c_void,
    pub worker: *const c_void,
    pub wall_clock: *const c_void,
    pub stopping: *const c_void,
    pub problem: *const c_void,
    pub memory: extern "C" fn(*mut c_void, usize) -> *mut c_void,
    pub column: extern "C" fn(*mut c_void, u32) -> *mut Value,
    pub pass: extern "C" fn(*mut c_void, *const u32, usize) -> i32,
}

type Create = extern "C" fn(*const Host, *mut c_void, *const Value, *mut *mut c_void) -> i32;

#[repr(C)]
pub struct Operator {
    pub size: u32,
    pub flags: u32,
    pub spec: *const Spec,
    pub outputs: *const Ref<Output>,
    pub output_count: u32,
    pub state_version: u32,
    pub check: *const c_void,
    pub create: Option<Create>,
    pub on_batch: Option<extern "C" fn(*mut c_void, *const Batch) -> i32>,
    pub on_timer: *const c_void,
    pub on_watermark: *const c_void,
    pub destroy: Option<extern "C" fn(*mut c_void)>,
}
unsafe impl Sync for Operator {}

impl Operator {
    pub const NONE: Operator = Operator {
        size: std::mem::size_of::<Operator>() as u32,
        flags: 0,
        spec: std::ptr::null(),
        outputs: std::ptr::null(),
        output_count: 0,
        state_version: 0,
        check: std::ptr::null(),
        create: None,
        on_batch: None,
        on_timer: std::ptr::null(),
        on_watermark: std::ptr::null(),
        destroy: None,
    };
}

#[repr(C)]
pub struct Plugin {
    pub abi: u32,
    pub size: u32,
    pub name: View,
    pub version: View,
    pub summary: View,
    pub operators: *const Ref<Operator>,
    pub sources: *const c_void,
    pub sinks: *const c_void,
    pub functions: *const c_void,
    pub operator_count: u32,
    pub source_count: u32,
    pub sink_count: u32,
    pub function_count: u32,
}
unsafe impl Sync for Plugin {}

impl Plugin {
    pub const NONE: Plugin = Plugin {
        abi: ABI,
        size: std::mem::size_of::<Plugin>() as u32,
        name: View::NONE,
        version: View::NONE,
        summary: View::NONE,
        operators: std::ptr::null(),
        sources: std::ptr::null(),
        sinks: std::ptr::null(),
        functions: std::ptr::null(),
        operator_count: 0,
        source_count: 0,
        sink_count: 0,
        function_count: 0,
    };
}
