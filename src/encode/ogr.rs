//! Files that OGR writes: a layer of one dataset, row by row, with every refusal of the driver told.

use std::ffi::CStr;
use std::ffi::CString;
use std::ffi::c_int;
use std::io;
use std::path::Path;
use std::ptr;

use gdal::spatial_ref::SpatialRef;
use gdal_sys::CPLErr;
use gdal_sys::GDALDatasetH;
use gdal_sys::OGRErr;
use gdal_sys::OGRFeatureDefnH;
use gdal_sys::OGRFieldSubType;
use gdal_sys::OGRFieldType;
use gdal_sys::OGRLayerH;

use crate::model::crs::Crs;
use crate::model::feature::Value;
use crate::model::layer::FieldType;
use crate::model::layer::GeometryColumn;
use crate::model::layer::GeometryType;

pub struct OgrSpec<'a> {
    /// OGR's name of it, from a closed list.
    pub driver: &'static CStr,
    pub layer: &'a str,
    pub fields: &'a [(String, FieldType)],
    /// A format without booleans gets 1 and 0; one without instants gets their text.
    pub plain: bool,
    /// `None`: a table without geometry.
    pub geometry: Option<GeometryColumn>,
    pub crs: Crs,
    /// `NAME=VALUE` layer creation options.
    pub options: &'a [&'a CStr],
}

/// Create once, write any number of rows, close once; a file that was not closed is not whole.
pub struct OgrWriter {
    dataset: GDALDatasetH,
    layer: OGRLayerH,
    definition: OGRFeatureDefnH,
    text: Vec<u8>,
}

impl OgrWriter {
    /// # Errors
    /// The driver refuses the file, the layer or a field.
    pub fn create(path: &Path, spec: &OgrSpec<'_>) -> io::Result<OgrWriter> {
        gdal::DriverManager::register_all();
        let mut system = SpatialRef::from_epsg(spec.crs.epsg()).map_err(io::Error::other)?;
        system.set_axis_mapping_strategy(gdal::spatial_ref::AxisMappingStrategy::TraditionalGisOrder);
        let target = CString::new(path.as_os_str().as_encoded_bytes())?;
        let layer_name = CString::new(spec.layer)?;
        // SAFETY: the strings outlive the calls, which copy them; handles are checked before use and closed by Drop.
        unsafe {
            gdal_sys::CPLErrorReset();
            let driver = gdal_sys::GDALGetDriverByName(spec.driver.as_ptr());
            if driver.is_null() {
                return Err(io::Error::other(format!("this GDAL has no driver {:?}", spec.driver)));
            }
            let dataset = gdal_sys::GDALCreate(driver, target.as_ptr(), 0, 0, 0, gdal_sys::GDALDataType::GDT_Unknown, ptr::null_mut());
            if dataset.is_null() {
                return Err(last_error("the file was not created"));
            }
            let mut writer = OgrWriter { dataset, layer: ptr::null_mut(), definition: ptr::null_mut(), text: Vec::new() };
            let mut options = ptr::null_mut();
            for option in spec.options {
                options = gdal_sys::CSLAddString(options, option.as_ptr());
            }
            let srs = if spec.geometry.is_some() { system.to_c_hsrs() } else { ptr::null_mut() };
            writer.layer = gdal_sys::GDALDatasetCreateLayer(dataset, layer_name.as_ptr(), srs, ogr_type(spec.geometry), options);
            gdal_sys::CSLDestroy(options);
            if writer.layer.is_null() {
                return Err(last_error("the layer was not created"));
            }
            for (name, field_type) in spec.fields {
                writer.add_field(name, *field_type, spec.plain)?;
            }
            writer.definition = gdal_sys::OGR_L_GetLayerDefn(writer.layer);
            Ok(writer)
        }
    }

    fn add_field(&self, name: &str, field_type: FieldType, plain: bool) -> io::Result<()> {
        let c_name = CString::new(name)?;
        let (kind, width) = match (field_type, plain) {
            (FieldType::Text, _) | (FieldType::DateTime, true) => (OGRFieldType::OFTString, 0),
            (FieldType::Integer, _) => (OGRFieldType::OFTInteger64, 0),
            (FieldType::Real, _) => (OGRFieldType::OFTReal, 0),
            (FieldType::Boolean, plain) => (OGRFieldType::OFTInteger, i32::from(plain)),
            (FieldType::Date, _) => (OGRFieldType::OFTDate, 0),
            (FieldType::DateTime, false) => (OGRFieldType::OFTDateTime, 0),
        };
        // SAFETY: the definition is copied by the layer and destroyed here.
        let status = unsafe {
            let definition = gdal_sys::OGR_Fld_Create(c_name.as_ptr(), kind);
            gdal_sys::OGR_Fld_SetWidth(definition, width);
            if field_type == FieldType::Boolean && !plain {
                gdal_sys::OGR_Fld_SetSubType(definition, OGRFieldSubType::OFSTBoolean);
            }
            let status = gdal_sys::OGR_L_CreateField(self.layer, definition, 0);
            gdal_sys::OGR_Fld_Destroy(definition);
            status
        };
        if status == OGRErr::OGRERR_NONE { Ok(()) } else { Err(last_error(&format!("the field `{name}` was not created"))) }
    }

    /// One row; as many values as fields. `wkb`: ISO WKB in the CRS of the layer, x first.
    ///
    /// # Errors
    /// The driver refuses the row.
    pub fn write<'v>(&mut self, values: impl Iterator<Item = Value<'v>>, wkb: Option<&[u8]>) -> io::Result<()> {
        // SAFETY: the feature belongs to this function; the geometry is handed over to it.
        unsafe {
            let feature = gdal_sys::OGR_F_Create(self.definition);
            for (at, value) in (0..).zip(values) {
                self.set(feature, at, value);
            }
            let mut status = OGRErr::OGRERR_NONE;
            if let Some(wkb) = wkb {
                let mut geometry = ptr::null_mut();
                let length = c_int::try_from(wkb.len()).map_err(|_| io::Error::other("a geometry passes 2 GB"))?;
                status = gdal_sys::OGR_G_CreateFromWkb(wkb.as_ptr().cast(), ptr::null_mut(), &mut geometry, length);
                if status == OGRErr::OGRERR_NONE {
                    status = gdal_sys::OGR_F_SetGeometryDirectly(feature, geometry);
                }
            }
            if status == OGRErr::OGRERR_NONE {
                status = gdal_sys::OGR_L_CreateFeature(self.layer, feature);
            }
            gdal_sys::OGR_F_Destroy(feature);
            if status == OGRErr::OGRERR_NONE { Ok(()) } else { Err(last_error("a row was not written")) }
        }
    }

    /// SAFETY: `feature` is alive and has a field `at`.
    unsafe fn set(&mut self, feature: gdal_sys::OGRFeatureH, at: c_int, value: Value<'_>) {
        unsafe {
            match value {
                Value::Null => gdal_sys::OGR_F_SetFieldNull(feature, at),
                Value::Integer(value) => gdal_sys::OGR_F_SetFieldInteger64(feature, at, value),
                Value::Real(value) => gdal_sys::OGR_F_SetFieldDouble(feature, at, value),
                Value::Boolean(value) => gdal_sys::OGR_F_SetFieldInteger(feature, at, i32::from(value)),
                Value::Text(text) | Value::Date(text) | Value::DateTime(text) => {
                    self.text.clear();
                    // A NUL cannot be in a C string, and has no place in a text.
                    self.text.extend(text.bytes().filter(|byte| *byte != 0));
                    self.text.push(0);
                    gdal_sys::OGR_F_SetFieldString(feature, at, self.text.as_ptr().cast());
                }
            }
        }
    }

    /// Writes what is left, and is the only sign that the file is whole.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn close(mut self) -> io::Result<()> {
        // SAFETY: closed once; Drop sees the null.
        unsafe {
            gdal_sys::CPLErrorReset();
            gdal_sys::GDALClose(std::mem::replace(&mut self.dataset, ptr::null_mut()));
            match gdal_sys::CPLGetLastErrorType() {
                CPLErr::CE_Failure | CPLErr::CE_Fatal => Err(last_error("the file was not finished")),
                _ => Ok(()),
            }
        }
    }
}

impl Drop for OgrWriter {
    fn drop(&mut self) {
        if !self.dataset.is_null() {
            // SAFETY: not closed yet.
            unsafe { gdal_sys::GDALClose(self.dataset) };
        }
    }
}

fn last_error(what: &str) -> io::Error {
    // SAFETY: the message belongs to this thread until its next error.
    let message = unsafe { CStr::from_ptr(gdal_sys::CPLGetLastErrorMsg()) }.to_string_lossy();
    io::Error::other(format!("{what}: {message}"))
}

fn ogr_type(geometry: Option<GeometryColumn>) -> gdal_sys::OGRwkbGeometryType::Type {
    use gdal_sys::OGRwkbGeometryType as Wkb;
    let Some(column) = geometry else { return Wkb::wkbNone };
    let flat = match column.geometry_type {
        GeometryType::Point => Wkb::wkbPoint,
        GeometryType::LineString => Wkb::wkbLineString,
        GeometryType::Polygon => Wkb::wkbPolygon,
        GeometryType::MultiPoint => Wkb::wkbMultiPoint,
        GeometryType::MultiLineString => Wkb::wkbMultiLineString,
        GeometryType::MultiPolygon => Wkb::wkbMultiPolygon,
        GeometryType::GeometryCollection => Wkb::wkbGeometryCollection,
        GeometryType::Geometry => Wkb::wkbUnknown,
    };
    // SAFETY: pure arithmetic on a type code.
    unsafe { gdal_sys::OGR_GT_SetModifier(flat, c_int::from(column.has_z), c_int::from(column.has_m)) }
}
