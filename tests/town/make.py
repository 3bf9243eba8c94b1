#!/usr/bin/env python3
"""Makes the files of the demonstration town, `layers/depot/`: invented, and the same at every run.

Needs ogr2ogr (gdal-bin). Everything here is made up: no line shows a real thing. The files are committed; run this
only to change the town.
"""

import csv
import json
import math
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

DEPOT = Path(__file__).resolve().parents[2] / "layers" / "depot"
CENTRE = (-1.96, 48.13)
RANDOM = random.Random(35188)
SECTEURS = [("99001", "Bédère-le-Vieux"), ("99002", "Montforêt"), ("99003", "La Nouë-sur-Meu")]
ESPECES = ["Chêne pédonculé", "Hêtre", "Frêne élevé", "Érable plane", "If", "Châtaignier"]
EQUIPEMENTS = ["École", "Mairie annexe", "Médiathèque", "Salle des fêtes", "Piscine", "Théâtre de verdure"]


def near(spread):
    return (CENTRE[0] + RANDOM.uniform(-spread, spread) * 1.5, CENTRE[1] + RANDOM.uniform(-spread, spread))


def feature(properties, geometry):
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def point(spread):
    lon, lat = near(spread)
    return {"type": "Point", "coordinates": [round(lon, 7), round(lat, 7)]}


def ring(lon, lat, radius, corners):
    turn = RANDOM.uniform(0, math.tau)
    places = []
    for corner in range(corners):
        angle = turn + math.tau * corner / corners
        reach = radius * RANDOM.uniform(0.75, 1.0)
        places.append([round(lon + reach * 1.5 * math.cos(angle), 7), round(lat + reach * math.sin(angle), 7)])
    return places + [places[0]]


def write(name, features, crs=None, layer=None, options=()):
    """GeoJSON as it is, anything else by ogr2ogr."""
    target = DEPOT / name
    target.parent.mkdir(parents=True, exist_ok=True)
    collection = {"type": "FeatureCollection", "features": features}
    if target.suffix == ".geojson":
        target.write_text(json.dumps(collection, ensure_ascii=False, indent=None) + "\n", encoding="utf-8")
        return
    with tempfile.NamedTemporaryFile("w", suffix=".geojson", delete=False, encoding="utf-8") as source:
        json.dump(collection, source, ensure_ascii=False)
    command = ["ogr2ogr", "-t_srs", crs, "-nln", layer or target.stem, *options, str(target), source.name]
    # A fixed date in the file, so that the same town has the same bytes.
    subprocess.run(command, check=True, env={**os.environ, "OGR_CURRENT_DATE": "2026-01-01T00:00:00.000Z"})
    os.unlink(source.name)


def communes():
    features = []
    for number, (code, name) in enumerate(SECTEURS):
        west = CENTRE[0] - 0.06 + 0.04 * number
        outline = [[west, 48.10], [west + 0.04, 48.10], [west + 0.04, 48.16], [west + 0.02, 48.165], [west, 48.16], [west, 48.10]]
        features.append(feature({"code_insee": code, "nom": name, "habitants": 900 + 700 * number}, {"type": "Polygon", "coordinates": [outline]}))
    write("admin/communes.shp", features, "EPSG:3948", options=["-lco", "ENCODING=CP1252"])


def arbres():
    features = []
    for number in range(120):
        day = f"{RANDOM.randint(1998, 2025)}-{RANDOM.randint(1, 12):02d}-{RANDOM.randint(1, 28):02d}"
        properties = {"code": f"{number + 1:04d}", "espece": RANDOM.choice(ESPECES), "hauteur": round(RANDOM.uniform(3, 28), 1), "plante_le": day}
        features.append(feature(properties, point(0.03) if number != 60 else None))
    write("nature/arbres.shp", features, "EPSG:3948", options=["-lco", "ENCODING=CP1252"])
    # As an old program leaves it: CP1252, and nothing that says so.
    (DEPOT / "nature/arbres.cpg").unlink(missing_ok=True)


def equipements():
    features = [
        feature({"nom": f"{kind} n° {number + 1}", "type": kind, "acces_pmr": RANDOM.random() < 0.7}, point(0.03))
        for number in range(8)
        for kind in EQUIPEMENTS
    ]
    write("equipements/equipements.gpkg", features, "EPSG:3948")


def voies():
    features = []
    for number in range(60):
        lon, lat = near(0.03)
        line = [[lon, lat]]
        for _ in range(RANDOM.randint(2, 9)):
            lon, lat = lon + RANDOM.uniform(-0.002, 0.003), lat + RANDOM.uniform(-0.0015, 0.002)
            line.append([round(lon, 7), round(lat, 7)])
        name = f"{RANDOM.choice(['Rue', 'Chemin', 'Allée'])} {RANDOM.choice(['du Lavoir', 'de l’Étang', 'des Genêts', 'du Vieux-Pré'])}"
        features.append(feature({"nom": name, "largeur_m": round(RANDOM.uniform(2.5, 9), 1)}, {"type": "LineString", "coordinates": line}))
    write("voirie/voies.gpkg", features, "EPSG:2154")


def zones():
    features = []
    for number in range(24):
        lon, lat = CENTRE[0] - 0.05 + 0.02 * (number % 6), 48.11 + 0.012 * (number // 6)
        rings = [ring(lon, lat, 0.005, 9)]
        if number % 4 == 0:
            rings.append(list(reversed(ring(lon, lat, 0.0015, 6))))
        features.append(feature({"zone": f"Z{number:02d}", "libelle": RANDOM.choice(["Zone à bâtir", "Zone protégée", "Forêt"])}, {"type": "Polygon", "coordinates": rings}))
    write("urbanisme/zones.shp", features, "EPSG:2154", options=["-lco", "ENCODING=UTF-8"])


def itineraires():
    features = []
    for number in range(12):
        lon, lat = near(0.02)
        line = [[round(lon + 0.001 * step, 7), round(lat + 0.0012 * math.sin(step), 7)] for step in range(12)]
        features.append(feature({"nom": f"Boucle n° {number + 1}", "longueur_km": round(RANDOM.uniform(2, 14), 1), "balisage": "jaune"}, {"type": "LineString", "coordinates": line}))
    write("tourisme/itineraires.geojson", features)


def tables():
    with open(DEPOT / "dechets" / "points_apport.csv", "w", encoding="utf-8-sig", newline="") as file:
        rows = csv.writer(file, delimiter=";", lineterminator="\r\n")
        rows.writerow(["nom", "type", "longitude", "latitude", "volume_m3"])
        for number in range(40):
            lon, lat = near(0.03)
            rows.writerow([f"Point d’apport {number + 1}", RANDOM.choice(["Verre", "Papier", "Emballages"]), f"{lon:.6f}".replace(".", ","), f"{lat:.6f}".replace(".", ","), f"{RANDOM.choice([3, 4, 5])},5"])
    with open(DEPOT / "finances" / "subventions_fictives.csv", "w", encoding="cp1252", newline="") as file:
        rows = csv.writer(file, delimiter=";", lineterminator="\r\n")
        rows.writerow(["annee", "code_insee", "association", "objet", "montant_eur"])
        for number in range(30):
            code, name = RANDOM.choice(SECTEURS)
            rows.writerow([RANDOM.randint(2021, 2025), code, f"Association n° {number + 1} de {name}", RANDOM.choice(["Fête d’été", "Matériel", "Création"]), f"{RANDOM.randint(2, 60) * 50},00"])


def main():
    if shutil.which("ogr2ogr") is None:
        sys.exit("ogr2ogr is needed: apt-get install gdal-bin")
    shutil.rmtree(DEPOT, ignore_errors=True)
    for folder in ["admin", "nature", "equipements", "voirie", "urbanisme", "tourisme", "dechets", "finances"]:
        (DEPOT / folder).mkdir(parents=True)
    for make in [communes, arbres, equipements, voies, zones, itineraires, tables]:
        make()


main()
