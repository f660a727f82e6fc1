# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

project = "oslo.asyncio"
copyright = "OpenStack Foundation"

extensions = [
    "openstackdocstheme",
    "oslo_config.sphinxconfiggen",
    "oslo_config.sphinxext",
    "sphinx.ext.autodoc",
    "sphinx.ext.doctest",
]

html_theme = "openstackdocs"
pygments_style = "native"

openstackdocs_repo_name = "openstack/oslo.asyncio"
openstackdocs_bug_project = "oslo.asyncio"
openstackdocs_bug_tag = ""

autodoc_member_order = "bysource"
autodoc_typehints = "description"

config_generator_config_file = "../../etc/oslo-config-generator/oslo_asyncio.conf"
sample_config_basename = "configuration/oslo_asyncio"
